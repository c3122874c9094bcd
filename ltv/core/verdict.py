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


def gettext_noop(text: str) -> str:
    """Marks a sentence for the catalogues of whoever says it to people; the core knows no languages."""
    return text


SENTENCES = {
    "no_checks": gettext_noop("The history is too short to check the forecast."),
    "few_checks": gettext_noop("Checks so far: {checks}. It takes {needed} to trust the forecast."),
    "few_customers": gettext_noop("Customers in the latest check: {customers}. It takes {needed} to trust it."),
    "purchases_low": gettext_noop("Over the last {checks} checks the forecast of purchases was {percent}% low."),
    "purchases_high": gettext_noop("Over the last {checks} checks the forecast of purchases was {percent}% high."),
    "purchases_right": gettext_noop("Over the last {checks} checks the forecast of purchases was right on average."),
    "purchases_low_once": gettext_noop("In the only check so far the forecast of purchases was {percent}% low."),
    "purchases_high_once": gettext_noop("In the only check so far the forecast of purchases was {percent}% high."),
    "purchases_right_once": gettext_noop("In the only check so far the forecast of purchases was right on average."),
    "latest_purchases_low": gettext_noop("In the latest check alone the forecast of purchases was {percent}% low."),
    "latest_purchases_high": gettext_noop("In the latest check alone the forecast of purchases was {percent}% high."),
    "latest_spend_low": gettext_noop("In the latest check alone the forecast of spend was {percent}% low."),
    "latest_spend_high": gettext_noop("In the latest check alone the forecast of spend was {percent}% high."),
    "spend_low": gettext_noop("The forecast of spend was {percent}% low."),
    "spend_high": gettext_noop("The forecast of spend was {percent}% high."),
    "spend_right": gettext_noop("The forecast of spend was right on average."),
    "ranges_held": gettext_noop("The {nominal}% ranges held {percent}% of customers."),
    "no_ranges": gettext_noop("The rule in use gives no ranges."),
    "beats_rule": gettext_noop("The forecast beats the simple rule ({rule}) by {percent}%, between {low} and {high}%."),
    "beats_rule_so_far": gettext_noop("The forecast beats the simple rule ({rule}) by {percent}%, but that may be chance."),
    "not_better": gettext_noop("No model beats the simple rule: {rule}."),
    "behind_rule": gettext_noop("The forecast in use is no better than the simple rule: {rule}."),
    "no_rule": gettext_noop("The forecast was not compared with any simple rule."),
    "purchases_broke_down": gettext_noop("In the last {days} days customers bought {percent}% less often than expected: something changed, or purchases are missing."),
    "purchases_broke_up": gettext_noop("In the last {days} days customers bought {percent}% more often than expected: something changed, or purchases are counted twice."),
    "spend_broke_down": gettext_noop("In the last {days} days customers spent {percent}% less than expected: something changed, or amounts are wrong."),
    "spend_broke_up": gettext_noop("In the last {days} days customers spent {percent}% more than expected: something changed, or amounts are wrong."),
    "nothing_happened": gettext_noop("Nobody bought anything in the last {days} days; purchases expected: {expected}."),
    "nothing_since": gettext_noop("No purchase was recorded in the last {days} days; expected: {expected}."),
    "dates_after_end": gettext_noop("Purchases dated after the last day: {count}. Dates are wrong."),
}  # fmt: skip

RULES = {
    "past_rate": gettext_noop("customers go on at their past rate"),
    "past_rate_with_first": gettext_noop("customers go on at their past rate, the first purchase included"),
    "last_window": gettext_noop("the same again as last time"),
    "recency": gettext_noop("customers silent for twice their usual gap are gone, the others go on"),
    "formula": gettext_noop("average purchase x frequency x time"),
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
    """The verdict on a forecast of a backtest, ``best`` as ``champion.choose`` or ``in_use`` names it."""
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
    yield from _latest(checks, best.name)


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
        return _finding("not_better" if best.baseline else "behind_rule", RED, rule=margin.baseline)
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


def _latest(checks: tuple[Check, ...], name: str) -> Iterator[Finding]:
    """The latest check on its own, where it is off by more than an average over all of them may hide.

    Beyond chance, unlike the level of all: one check is the noisiest of them.
    """
    score = checks[-1].score(name)
    if score is None or len(checks) == 1:
        return
    for what, one in (("purchases", score.purchases), ("spend", score.spend)):
        bias, chance = one.bias or 0.0, ERRORS * (one.bias_error or 0.0)
        light = _light(abs(bias), GREEN_BIAS + chance, RED_BIAS + chance)
        if light != GREEN:
            side = "low" if bias < 0 else "high"
            yield _finding(f"latest_{what}_{side}", light, percent=_percent(abs(bias)))


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
