"""Every column of a run's table, for all customers at once, and the totals of the start page."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crm.common import sql
from crm.common.columns import Column
from crm.common.models import Shop
from ltv.core import clv, scores
from ltv.core.arrays import Floats, Ints
from ltv.core.past import Past, past
from ltv.models import LtvRun
from ltv.services import histories
from ltv.services.changes import Changes
from ltv.services.histories import MONEY, Histories, thousandths

NEXT_PURCHASE = {"next_purchase_from": 0.25, "next_purchase_on": 0.5, "next_purchase_to": 0.75}
MAIN_HORIZON = 365
OTHER_HORIZONS = (30, 90, 1095)
FARTHEST_DAYS = 3650  # a next purchase later than this is not foreseen
CHANGES = ("time", "purchases", "refunds", "rates", "refit")


@dataclass(frozen=True)
class Base:
    """All customers (n,), in order of id, and the histories of those who bought."""

    rows: NDArray[Any]  # dtype histories.CUSTOMER
    bought: Ints
    buyers: Histories

    @classmethod
    def of(cls, rows: NDArray[Any], run: LtvRun) -> "Base":
        """Of a run: what was bought before its day."""
        bought = np.flatnonzero(rows["days"] > 0)
        until = histories.day_number(run.as_of) - 1
        return cls(rows, bought, Histories.of(rows[bought], until, run.margin_rate))

    def spread(self, values: NDArray[Any]) -> NDArray[Any]:
        """Per buyer to per customer, 0 for the others."""
        found = np.zeros(len(self.rows), dtype=values.dtype)
        found[self.bought] = values
        return found


def columns(
    run: LtvRun, base: Base, ahead: clv.Answers, margin: Ints, changes: Changes | None, cac: Column
) -> dict[str, Column]:
    """The table's columns by name; ``margin`` as ``expected_margin``; money in thousandths."""
    never = np.ones(len(base.rows), dtype=bool)
    never[base.bought] = False
    made = {
        "run_id": Column(np.full(len(base.rows), run.pk, dtype=np.int64)),
        "customer_id": Column(base.rows["customer_id"]),
        **_so_far(run, base, never, cac),
        **_ahead(run, base, ahead, never),
        "clv": Column(base.spread(margin), money=True),
        **_scores(base, margin, never),
    }
    return {**made, **_why(changes, len(base.rows))}


def expected_margin(run: LtvRun, base: Base, ahead: clv.Answers) -> Ints:
    """Discounted margin within the horizon, per buyer, thousandths."""
    revenue = ahead.revenue(run.horizon_days, float(run.discount_rate))
    return thousandths(revenue * base.buyers.margin_share)


def _so_far(run: LtvRun, base: Base, never: NDArray[np.bool_], cac: Column) -> dict[str, Column]:
    seen, rows = base.buyers, base.rows
    found = _past(run, seen)
    formula = base.spread(found.formula_ltv)
    no_ratio = never | (cac.null if cac.null is not None else False) | (cac.values == 0)
    return {
        "orders": Column(rows["orders"]),
        "frequency": Column(np.maximum(rows["days"] - 1, 0).astype(np.int32)),
        "recency_days": Column(base.spread((seen.until - seen.last_day).astype(np.int32)), never),
        "age_days": Column(base.spread((seen.until - seen.first_day).astype(np.int32)), never),
        "revenue": Column(rows["revenue"], money=True),
        "margin": Column(rows["margin"], money=True),
        "average_purchase": Column(base.spread(found.average_purchase), never, money=True),
        "purchases_per_month": Column(base.spread(found.purchases_per_month), never),
        "formula_ltv": Column(formula, never, money=True),
        "margin_clv": Column(base.spread(found.margin_clv), never, money=True),
        "channel_cac": cac,
        "ltv_to_cac": Column(formula / np.maximum(cac.values, 1), no_ratio),
    }


def _past(run: LtvRun, seen: Histories) -> Past:
    observed = seen.until - seen.first_day + 1
    rates = float(run.retention_months), float(run.margin_rate)
    return past(seen.orders, observed, seen.revenue, seen.margin, *rates)


def _ahead(run: LtvRun, base: Base, ahead: clv.Answers, never: NDArray[np.bool_]) -> dict[str, Column]:
    def units(values: Floats, kind: str = "f8") -> Column:
        return Column(base.spread(values.astype(kind)), never)

    def money(values: Floats) -> Column:
        return Column(base.spread(thousandths(values)), never, money=True)

    year = ahead.within(run.horizon_days)
    made = {
        "expected_purchases": units(year.purchases),
        "purchases_low": units(year.purchases_low, "f4"),
        "purchases_high": units(year.purchases_high, "f4"),
        "expected_value": money(year.value),
        "expected_value_low": money(np.minimum(year.value_low, year.value_high)),
        "expected_value_high": money(year.value_high),
        "p_alive": units(np.clip(ahead.p_alive, 0, 1)),
        "p_no_purchase": units(np.clip(ahead.p_no_purchase(run.churn_days), 0, 1)),
    }
    for days in OTHER_HORIZONS:
        made |= {name: units(values, "f4") for name, values in _horizon(ahead, days).items()}
    until = np.int32(base.buyers.until)
    for name, share in NEXT_PURCHASE.items():
        wait = np.ceil(np.minimum(ahead.wait(share), FARTHEST_DAYS)).astype(np.int32)
        made[name] = Column(base.spread(until + wait), never | base.spread(wait >= FARTHEST_DAYS))
    return made


def _horizon(ahead: clv.Answers, days: int) -> dict[str, Floats]:
    coming = ahead.within(days)
    return {
        f"purchases_{days}": coming.purchases,
        f"purchases_{days}_low": coming.purchases_low,
        f"purchases_{days}_high": coming.purchases_high,
        f"value_{days}": coming.value,
        f"value_{days}_low": np.minimum(coming.value_low, coming.value_high),
        f"value_{days}_high": coming.value_high,
    }


def _scores(base: Base, margin: Ints, never: NDArray[np.bool_]) -> dict[str, Column]:
    seen = base.buyers
    silent = seen.until - seen.last_day
    found = {
        "clv_decile": scores.tenths(margin),
        "r_score": np.int16(6) - scores.fifths_of_counts(silent),
        "f_score": scores.fifths_of_counts(seen.days),
        "m_score": scores.fifths(seen.revenue),
    }
    return {name: Column(base.spread(values.astype(np.int16)), never) for name, values in found.items()}


def _why(changes: Changes | None, rows: int) -> dict[str, Column]:
    if changes is None:
        unknown = np.ones(rows, dtype=bool)
        names = ("clv_before", *(f"change_{name}" for name in CHANGES))
        return {name: Column(np.zeros(rows, dtype=np.int64), unknown, money=True) for name in names}
    return {
        "clv_before": Column(changes.before, ~changes.known, money=True),
        **{f"change_{name}": Column(getattr(changes, name), money=True) for name in CHANGES},
    }


def channel_cac(run: LtvRun, shop: Shop, rows: NDArray[Any]) -> Column:
    """Each customer's channel's CAC: its spend over the customers it brought in the months it was spent.

    NULL where a channel has no spend or brought nobody in those months. Months of the shop's time zone.
    """
    last_day = run.as_of - timedelta(days=1)
    spent: dict[int, Decimal] = {}
    brought: dict[int, int] = {}
    of_channel = {
        int(one): rows["acquired_at"][rows["channel_id"] == one] for one in np.unique(rows["channel_id"])
    }
    for row in sql.rows("ltv/channel_spend", {"last_day": last_day}):
        channel, acquired = row["channel_id"], of_channel.get(row["channel_id"])
        spent[channel] = spent.get(channel, Decimal(0)) + row["spend"]
        if acquired is not None:
            begin, end = (_instant(day, shop) for day in (row["month"], row["next_month"]))
            came = np.count_nonzero((acquired >= begin) & (acquired < end))
            brought[channel] = brought.get(channel, 0) + int(came)
    values, null = np.zeros(len(rows), dtype=np.int64), np.ones(len(rows), dtype=bool)
    for channel, customers in brought.items():
        if customers:
            theirs = rows["channel_id"] == channel
            cost = (spent[channel] * MONEY / customers).quantize(Decimal(1), ROUND_HALF_UP)
            values[theirs], null[theirs] = int(cost), False
    return Column(values, null, money=True)


def _instant(day: Any, shop: Shop) -> int:
    """A day's first moment in the shop's zone, as the arrays have it."""
    at = datetime(day.year, day.month, day.day, tzinfo=shop.zone)
    return (at - datetime.fromisoformat("2000-01-01T00:00+00:00")) // timedelta(microseconds=1)


def totals(run: LtvRun, made: dict[str, Column]) -> dict[str, Any]:
    """The figures of the start page, JSON; sums of money exact, as text in units of the currency."""
    clv_each, decile = made["clv"].values, made["clv_decile"]
    bought = ~decile.null if decile.null is not None else np.ones(len(clv_each), dtype=bool)
    likely_gone = bought & (made["p_no_purchase"].values >= 0.5)
    active = bought & (made["recency_days"].values < run.churn_days)
    tenths = [(number, bought & (decile.values == number)) for number in range(1, scores.TENTHS + 1)]
    return {
        "active": int(np.count_nonzero(active)),
        "at_risk": int(np.count_nonzero(likely_gone)),
        "margin_at_risk": _units(clv_each[likely_gone]),
        "expected_purchases": float(made["expected_purchases"].values[bought].sum()),
        "deciles": [
            {
                "decile": number,
                "customers": int(np.count_nonzero(theirs)),
                "clv": _units(clv_each[theirs]),
                "revenue": _units(made["revenue"].values[theirs]),
            }
            for number, theirs in tenths
            if theirs.any()
        ],
    }


def _units(amounts: Ints) -> str:
    return str(Decimal(int(amounts.sum())) / MONEY)
