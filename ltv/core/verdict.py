"""What a backtest means to the owner of the shop: a traffic light and sentences.

Green: enough checks, better than every rule of thumb beyond chance, and level and ranges held. Red:
no better than a rule, far off, or the latest days look like nothing before (demand broke, an import
went wrong). Amber: everything in between. Each finding is a code with values and an English
sentence made from both, so that it can be said in any language.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, median

from ltv.core import champion, fallback
from ltv.core.backtest import NOMINAL, Backtest, Check, Score
from ltv.core.champion import Champion
from ltv.core.measures import Accuracy

GREEN, AMBER, RED = "green", "amber", "red"
_ORDER = (RED, AMBER, GREEN)

# fewer checks may all have fallen in the same season
MIN_CHECKS = 4
# totals further off than this mislead a budget; a forecast off by a third is no help with one
GREEN_BIAS, RED_BIAS = 0.15, 1 / 3
# points by which ranges may hold fewer or more customers than they promise
GREEN_COVERAGE, RED_COVERAGE = 0.05, 0.15
# the last third of the latest check against its forecast, as a factor either way: more than a
# season usually does to a month
BREAK = 1.5
# red must not be chance: it asks for so many standard errors
ERRORS = 2.0
# purchases expected where none came; none at all has a probability below 1 % from five on
EXPECTED_SOME = 5.0
# a week without a purchase is a holiday; in a longer gap so many were expected
LONGEST_GAP, EXPECTED_IN_GAP = 7, 20.0

SENTENCES = {
    "no_checks": "The history is too short to check the forecast.",
    "few_checks": "Checks so far: {checks}. It takes {needed} to trust the forecast.",
    "few_customers": "Customers in the latest check: {customers}. It takes {needed} to trust it.",
    "purchases_low": "Over the last {checks} checks the forecast of purchases was {percent} % low.",
    "purchases_high": "Over the last {checks} checks the forecast of purchases was {percent} % high.",
    "purchases_right": "Over the last {checks} checks the forecast of purchases was right on average.",
    "purchases_low_once": "In the only check so far the forecast of purchases was {percent} % low.",
    "purchases_high_once": "In the only check so far the forecast of purchases was {percent} % high.",
    "purchases_right_once": "In the only check so far the forecast of purchases was right on average.",
    "spend_low": "The forecast of spend was {percent} % low.",
    "spend_high": "The forecast of spend was {percent} % high.",
    "spend_right": "The forecast of spend was right on average.",
    "ranges_held": "The {nominal} % ranges held {percent} % of customers.",
    "no_ranges": "The rule in use gives no ranges.",
    "beats_rule": "The forecast beats the simple rule ({rule}) by {percent} %, between {low} and {high} %.",
    "beats_rule_so_far": "The forecast beats the simple rule ({rule}) by {percent} %, but that may be chance.",
    "not_better": "No model beats the simple rule: {rule}.",
    "no_rule": "The forecast was not compared with any simple rule.",
    "purchases_broke_down": "In the last {days} days customers bought {percent} % less often than expected: something changed, or purchases are missing.",
    "purchases_broke_up": "In the last {days} days customers bought {percent} % more often than expected: something changed, or purchases are counted twice.",
    "spend_broke_down": "In the last {days} days customers spent {percent} % less than expected: something changed, or amounts are wrong.",
    "spend_broke_up": "In the last {days} days customers spent {percent} % more than expected: something changed, or amounts are wrong.",
    "nothing_happened": "Nobody bought anything in the last {days} days; purchases expected: {expected}.",
    "nothing_since": "No purchase was recorded in the last {days} days; expected: {expected}.",
    "dates_after_end": "Purchases dated after the last day: {count}. Dates are wrong.",
}  # fmt: skip

RULES = {
    "past_rate": "customers go on at their past rate",
    "past_rate_with_first": "customers go on at their past rate, the first purchase included",
    "last_window": "the same again as last time",
    "recency": "customers silent for two of their usual gaps are gone, the others go on",
    "formula": "average purchase x frequency x time",
}


@dataclass(frozen=True)
class Finding:
    """One thing found: a stable code, its light, the values in its sentence, the sentence.

    Values are ready to be shown: whole per cents, days, counts; ``rule`` is the name of a baseline.
    """

    code: str
    light: str
    values: dict[str, int | str]
    sentence: str


@dataclass(frozen=True)
class Verdict:
    """The worst light of all findings, the findings from the worst on, and their sentences."""

    light: str
    findings: tuple[Finding, ...]
    sentence: str


def judge(found: Backtest, best: Champion | None) -> Verdict:
    """The verdict on the champion of a backtest, ``best`` as ``champion.choose`` names it."""
    findings = sorted(_findings(found, best), key=lambda finding: _ORDER.index(finding.light))
    return Verdict(
        light=findings[0].light,
        findings=tuple(findings),
        sentence=" ".join(finding.sentence for finding in findings),
    )


def _findings(found: Backtest, best: Champion | None) -> Iterator[Finding]:
    yield from _dates(found)
    yield from _emptiness(found)
    if best is None:
        yield _finding("no_checks", AMBER)
        return
    checks = champion.compared(found)
    scores = [score for check in checks if (score := check.score(best.name)) is not None]
    yield from _size(checks)
    yield _level("purchases", [score.purchases for score in scores], "_once" if len(scores) == 1 else "")
    yield _level("spend", [score.spend for score in scores], "")
    yield _coverage(scores)
    yield _better(best)
    yield from _breaks(found, best.name)


def _finding(code: str, light: str, **values: int | str) -> Finding:
    words = {**values, "rule": RULES.get(str(values.get("rule")), "")}
    return Finding(code, light, values, SENTENCES[code].format(**words))


def _percent(share: float) -> int:
    return round(100.0 * share)


def _dates(found: Backtest) -> Iterator[Finding]:
    if found.days_after_end:
        yield _finding("dates_after_end", RED, count=found.days_after_end)


def _emptiness(found: Backtest) -> Iterator[Finding]:
    """Nobody bought in the whole latest check, or in its last days, where purchases were due."""
    if not found.checks:
        return
    latest = found.checks[-1]
    expected = median(score.purchases.predicted_total for score in latest.scores)
    due = expected * found.silent_days / found.horizon
    if latest.purchases[-1] == 0 and expected >= EXPECTED_SOME:
        yield _finding("nothing_happened", RED, days=found.horizon, expected=round(expected))
    elif found.silent_days > LONGEST_GAP and due >= EXPECTED_IN_GAP:
        yield _finding("nothing_since", RED, days=found.silent_days, expected=round(due))


def _size(checks: tuple[Check, ...]) -> Iterator[Finding]:
    if len(checks) < MIN_CHECKS:
        yield _finding("few_checks", AMBER, checks=len(checks), needed=MIN_CHECKS)
    if checks[-1].customers < fallback.MIN_CUSTOMERS:
        needed = fallback.MIN_CUSTOMERS
        yield _finding("few_customers", AMBER, customers=checks[-1].customers, needed=needed)


def _level(what: str, found: list[Accuracy], suffix: str) -> Finding:
    """All checks together."""
    actual = sum(one.actual_total for one in found)
    bias = sum(one.predicted_total for one in found) / actual - 1.0 if actual else 0.0
    chance = ERRORS * fmean(one.bias_error or 0.0 for one in found)
    light = _light(abs(bias), GREEN_BIAS, RED_BIAS + chance)
    percent = _percent(abs(bias))
    side = "right" if percent == 0 else "low" if bias < 0 else "high"
    return _finding(f"{what}_{side}{suffix}", light, checks=len(found), percent=percent)


def _light(distance: float, green: float, red: float) -> str:
    if distance <= green:
        return GREEN
    return AMBER if distance <= red else RED


def _coverage(scores: list[Score]) -> Finding:
    """Customers of one check are different people, those of another are the same again."""
    held = [score.ranges.coverage for score in scores if score.ranges and score.ranges.coverage]
    if not held:
        return _finding("no_ranges", AMBER)
    coverage = fmean(held)
    chance = ERRORS * sqrt(NOMINAL * (1.0 - NOMINAL) / scores[-1].purchases.customers)
    light = _light(abs(coverage - NOMINAL), GREEN_COVERAGE, RED_COVERAGE + chance)
    return _finding("ranges_held", light, nominal=_percent(NOMINAL), percent=_percent(coverage))


def _better(best: Champion) -> Finding:
    margin = best.margin
    if margin is None:
        return _finding("no_rule", AMBER)
    if best.baseline or margin.share <= 0:
        return _finding("not_better", RED, rule=margin.baseline)
    percent = _percent(margin.share)
    if margin.low is None or margin.high is None or margin.low <= 0:
        return _finding("beats_rule_so_far", AMBER, rule=margin.baseline, percent=percent)
    low, high = _percent(margin.low), _percent(margin.high)
    return _finding("beats_rule", GREEN, rule=margin.baseline, percent=percent, low=low, high=high)


def _breaks(found: Backtest, name: str) -> Iterator[Finding]:
    """The last third of the latest check against its forecast, where that one was made."""
    latest = found.checks[-1]
    score = latest.score(name)
    if score is None:
        return
    yield from _broke("purchases", latest.points, latest.purchases, score.tracking, score.purchases)
    yield from _broke("spend", latest.points, latest.spend, score.spend_tracking, score.spend)


def _broke(
    what: str,
    points: tuple[float, ...],
    came: tuple[float, ...],
    forecast: tuple[float, ...],
    whole: Accuracy,
) -> Iterator[Finding]:
    start = max((i for i, point in enumerate(points) if point <= points[-1] * 2 / 3), default=0)
    actual, expected = came[-1] - came[start], forecast[-1] - forecast[start]
    chance = ERRORS * (whole.bias_error or 0.0) * whole.actual_total
    if expected <= 0 or abs(actual - expected) <= chance:
        return
    if not expected / BREAK <= actual <= expected * BREAK:
        side = "down" if actual < expected else "up"
        percent = _percent(abs(actual / expected - 1.0))
        days = round(points[-1] - points[start])
        yield _finding(f"{what}_broke_{side}", RED, days=days, percent=percent)
