"""A valuation as text: a table for a person, and a row per customer for a spreadsheet."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict

import numpy as np

from ltv.core import fallback, verdict
from ltv.core.candidates import ALL_DAYS
from ltv.core.command.reading import Purchases
from ltv.core.command.valuing import CHURN_DAYS, COVERAGE, Forecast, Stand, Valuation

Money = Callable[[float], str]

TITLES = {
    "bgnbd": "BG/NBD",
    "mbgnbd": "MBG/NBD",
    "paretonbd": "Pareto/NBD",
    "gamma-gamma": "gamma-gamma",
    "": "formula",
}
STEPS = {
    fallback.OWN: "own fit",
    fallback.POOLED: "held by a prior",
    fallback.FORMULA: "not usable",
}
# what ``fitting.Fit.flags`` say, in words; "r_at_bound" and the like are made from the parameter
FLAGS = {
    "not_converged": "did not converge",
    "not_a_maximum": "the data do not settle on parameters",
    "no_repeat_purchases": "nobody bought twice",
    "nothing_observed": "nobody was observed for a day",
    "nobody_spent_twice": "nobody has a repeat purchase with an amount",
    "impossible_rows": "histories that cannot be",
    "no_mean": "spending has no mean (q <= 1)",
    "no_variance": "spending has no variance (q <= 2)",
}
ALWAYS = "no earlier parameters"  # a single run never has any
TOP, WIDTH = 10, 100
COLUMNS = (
    "customer", "first purchase", "purchase days", "days since the last", "revenue so far",
    "P(still a customer)", f"P(buys nothing in {CHURN_DAYS} days)", "expected purchase days", "low", "high",
    "expected per purchase day", "expected revenue", "revenue low", "revenue high", "CLV", "next purchase in days",
)  # fmt: skip


def lines(found: Valuation, read: Purchases, currency: str) -> Iterator[str]:
    """The table on stdout."""
    money = _money(currency)
    yield from _history(found, read, money)
    yield ""
    yield from _models(found)
    yield ""
    yield from _ahead(found, money)
    yield ""
    yield from _top(found, read.names, currency)
    yield ""
    yield from _trust(found)


def _money(currency: str) -> Money:
    """Amounts with as many digits as matter to a person."""
    unit = f" {currency}" if currency else ""
    return lambda amount: f"{amount:,.0f}{unit}" if abs(amount) >= 1_000 else f"{amount:,.2f}{unit}"


def _history(found: Valuation, read: Purchases, money: Money) -> Iterator[str]:
    seen, columns = found.histories, ", ".join(f"{fact} {title!r}" for fact, title in read.columns.items())
    until = (seen.first_day + seen.T.astype(np.int64))[0]
    yield f"{read.rows:,} rows ({columns}), {seen.first_day.min()} to {until}"
    if read.left_out:
        yield f"  left out         {read.left_out:,} rows without a customer, a date or an amount, or after the end"
    if read.log.stray_refunds:
        yield f"  left out         {read.log.stray_refunds:,} refunds without an earlier purchase"
    again = np.count_nonzero(seen.x)
    yield f"  customers        {len(seen.x):,}, of whom {again:,} bought on two days or more"
    yield f"  purchase days    {int(seen.x.sum()) + len(seen.x):,}"
    yield f"  revenue          {money(seen.revenue.sum())}"


def _models(found: Valuation) -> Iterator[str]:
    yield "MODELS, time in days"
    for stand in (*found.models, found.spend):
        mark = (
            "*" if stand.name in (found.used, found.spend.name) and stand.choice.params is not None else " "
        )
        params = stand.choice.params
        values = asdict(params) if params is not None else {}
        numbers = "  ".join(f"{name} {value:.4g}" for name, value in values.items())
        likelihood = f"log-likelihood {stand.log_likelihood:,.1f}" if params is not None else ""
        yield f"{mark} {TITLES[stand.name]:<12} {STEPS[stand.choice.step]:<16} {numbers:<48} {likelihood}".rstrip()
        if stand.choice.reasons:
            yield f"    because: {'; '.join(_reasons(stand))}"
    yield f"* behind the predictions: {_why(found)}"


def _reasons(stand: Stand) -> list[str]:
    """Why not the own fit, once each, in words."""
    said = dict.fromkeys(reason for reason in stand.choice.reasons if reason != ALWAYS)
    return [FLAGS.get(reason, reason.replace("_at_bound", " ran away")) for reason in said]


def _why(found: Valuation) -> str:
    if not found.used:
        return "a plain formula (own rate of purchase, own average), because no model holds"
    best = found.best
    if best is None:
        return f"{TITLES[found.used]}; the history is too short to compare models"
    if best.name.startswith(found.used):
        return f"{TITLES[found.used]} is the best of all forecasts in the checks below"
    return f'{TITLES[found.used]}; but in the checks below "{title_of(best.name)}" did as well or better'


def title_of(name: str) -> str:
    """A forecast of the backtest."""
    plain = name.removesuffix(ALL_DAYS)
    title = TITLES.get(plain) or verdict.RULES[plain]
    return f"{title}, amounts of all days" if plain != name else title


def _ahead(found: Valuation, money: Money) -> Iterator[str]:
    asked, n = found.asked, len(found.histories.x)
    yield f"THE NEXT {asked.horizon} DAYS of these customers, with {COVERAGE:.0%} ranges"
    yield f"  purchase days    {_range(found.purchases, lambda count: f'{count:,.0f}')}"
    yield f"  revenue          {_range(found.revenue, money)}"
    clv = float(found.predictions.clv.sum())
    terms = f"margin {100 * asked.margin:g}%, discounted at {100 * asked.discount:g}% a year"
    yield f"  CLV              {money(clv)}, {money(clv / n)} a customer ({terms})"


def _range(forecast: Forecast, write: Money) -> str:
    if forecast.range is None:
        return f"{write(forecast.expected)} (a sum of rules of thumb, which has no range)"
    low, high = forecast.range
    return f"{write(forecast.expected)}, between {write(low)} and {write(high)}"


def _top(found: Valuation, names: Sequence[str], currency: str) -> Iterator[str]:
    money = _money("")
    seen, ahead = found.histories, found.predictions
    best = np.argsort(-ahead.expected_value, kind="stable")[:TOP]
    head = ["customer", "days", "last", "customer still", "buys", "revenue", "range", "CLV"]
    rows = [
        [
            names[seen.customers[i]],
            f"{seen.x[i] + 1:.0f}",
            f"{seen.T[i] - seen.t_x[i]:.0f} ago",
            f"{100 * ahead.p_alive[i]:.0f}%",
            f"{ahead.expected_purchases[i]:.1f}",
            money(ahead.expected_value[i]),
            f"{money(ahead.value_low[i])} to {money(ahead.value_high[i])}",
            money(ahead.clv[i]),
        ]
        for i in best
    ]
    yield f"THE {len(best)} WORTH MOST{f', in {currency}' if currency else ''}"
    yield from table([head, *rows])


def table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns set apart by spaces, the first to the left."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for first, *others in rows:
        cells = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        yield "  ".join(["", first.ljust(widths[0]), *cells]).rstrip()


def _trust(found: Valuation) -> Iterator[str]:
    checked, best = found.checked, found.best
    yield f"HOW FAR TO TRUST IT: {found.verdict.light}"
    for finding in found.verdict.findings:
        yield from textwrap.wrap(finding.sentence, WIDTH, initial_indent="  ", subsequent_indent="    ")
    if best is None:
        return
    yield f"  {best.origins} checks of {checked.horizon} days each, by loss (1: no better than the average):"
    for row in best.table:
        yield f"    {row.loss:5.2f}  {title_of(row.name)}{'  (rule of thumb)' if row.baseline else ''}"


def customers(found: Valuation, names: Sequence[str]) -> Iterator[Sequence[str]]:
    """A header and a row for each customer, the one worth most first."""
    seen, ahead = found.histories, found.predictions
    columns = (
        seen.x + 1.0, seen.T - seen.t_x, seen.revenue, ahead.p_alive, ahead.p_no_purchase,
        ahead.expected_purchases, ahead.purchases_low, ahead.purchases_high, ahead.expected_spend_per_purchase,
        ahead.expected_value, ahead.value_low, ahead.value_high, ahead.clv, ahead.next_purchase_days,
    )  # fmt: skip
    yield COLUMNS
    for i in np.argsort(-ahead.expected_value, kind="stable"):
        yield names[seen.customers[i]], str(seen.first_day[i]), *(f"{column[i]:.6g}" for column in columns)
