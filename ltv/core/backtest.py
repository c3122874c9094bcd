"""Every candidate, held against what happened next: at several origins of a shop's own history.

At an origin everything is fitted on what was known by the end of that day, predicts the next
``horizon`` days of the customers known then, and is compared with what they did. Origins roll: the
last one lies a horizon before the end, the others a step earlier each.

    found = backtest(log, origins(log, horizon=90, end=yesterday), horizon=90, end=yesterday)
    best = champion.choose(found)
    light = verdict.judge(found, best)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from ltv.core import measures, summary
from ltv.core.arrays import Floats
from ltv.core.baselines import BASELINES
from ltv.core.candidates import MODELLED, Candidate, Fitted, Seen
from ltv.core.measures import Accuracy, Pit, Ranges, Silence

# simplest first: of equals the champion is the first
CANDIDATES = (*BASELINES, *MODELLED)
# what the ranges promise
NOMINAL = 0.8
# of the tracking curve; a multiple of three, the last third is looked at on its own
POINTS = 6
# customers, evenly spaced, whose spend is placed in its law: enough for coverage within .006
SAMPLE = 4_000
# below this a check says more of chance than of the forecast
MIN_CUSTOMERS = 30


@dataclass(frozen=True)
class Score:
    """One forecast at one origin, counts and spend beside what happened.

    step: the step of the ladder the candidate stood on; purchases, spend: per customer over the
    horizon; silence: "buys nothing in the horizon"; ranges, pit: of the counts, spend_pit: of the
    spend, None for rules without a distribution; tracking, spend_tracking: predicted totals up to
    each point of the check; loss: see ``combined_loss``.
    """

    name: str
    baseline: bool
    step: str
    purchases: Accuracy
    spend: Accuracy
    silence: Silence
    ranges: Ranges | None
    pit: Pit | None
    spend_pit: Pit | None
    tracking: tuple[float, ...]
    spend_tracking: tuple[float, ...]
    loss: float | None


@dataclass(frozen=True)
class Check:
    """All forecasts at one origin (a day), and the totals that came: at each of ``points`` days."""

    origin: int
    customers: int
    points: tuple[float, ...]
    purchases: tuple[float, ...]
    spend: tuple[float, ...]
    scores: tuple[Score, ...]

    def score(self, name: str) -> Score | None:
        """That of the forecast called ``name``, None where it could not be made."""
        return next((score for score in self.scores if score.name == name), None)


@dataclass(frozen=True)
class Backtest:
    """Checks from the oldest origin to the latest; all in days and one currency.

    end: the day up to which the log is taken to be complete; silent_days: days from the last
    purchase to it; days_after_end: purchase days beyond it, which there should not be.
    """

    horizon: int
    end: int
    silent_days: int
    days_after_end: int
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class Happened:
    """What the customers seen at an origin did after it: (n,) each, and totals at the points."""

    purchases: Floats
    spend: Floats
    points: tuple[float, ...]
    tracking: tuple[float, ...]
    spend_tracking: tuple[float, ...]


def origins(
    log: summary.Log, horizon: int, end: int, step: int | None = None, most: int = 6
) -> tuple[int, ...]:
    """Days to check at, oldest first: a horizon before ``end`` and every ``step`` days before.

    ``step`` is half a horizon unless given. Each origin has a horizon of history at least: from
    less nothing can be learnt about as much. At most ``most``; none for a shop too young.

    Raises:
        ValueError: horizon or step is not positive.
    """
    step = max(horizon // 2, 1) if step is None else step
    if horizon <= 0 or step <= 0:
        raise ValueError("horizon and step must be positive.")
    earliest = int(log.days.min()) + horizon if len(log.days) else end
    days = range(end - horizon, earliest - 1, -step)
    return tuple(reversed(days[:most]))


def backtest(
    log: summary.Log,
    origins: Iterable[int],
    horizon: int,
    end: int,
    candidates: Iterable[Candidate] = CANDIDATES,
) -> Backtest:
    """Check every candidate at every origin that has ``MIN_CUSTOMERS`` customers.

    The answer depends on nothing but the arguments. A prediction is made from what the log held at
    the end of its origin, so nothing later can leak into it.

    Raises:
        ValueError: the horizon of an origin reaches beyond ``end``.
    """
    days, candidates = sorted(origins), tuple(candidates)
    if days and days[-1] + horizon > end:
        raise ValueError("The horizon of an origin reaches beyond the end.")
    checks = (check(log, day, horizon, candidates) for day in days)
    after = log.days > end
    last = int(log.days[~after].max(initial=0)) if not after.all() else end
    return Backtest(
        horizon=horizon,
        end=end,
        silent_days=end - last,
        days_after_end=int(np.count_nonzero(after)),
        checks=tuple(made for made in checks if made.customers >= MIN_CUSTOMERS),
    )


def check(
    log: summary.Log, origin: int, horizon: int, candidates: Iterable[Candidate], points: int = POINTS
) -> Check:
    """All candidates at one origin; the tracking curve has ``points`` points, the last the horizon."""
    seen = Seen.of(log, origin, window=horizon)
    if len(seen.x) < MIN_CUSTOMERS:
        return Check(origin, len(seen.x), (), (), (), ())
    happened = _happened(log, origin, horizon, points)
    return Check(
        origin=origin,
        customers=len(seen.x),
        points=happened.points,
        purchases=happened.tracking,
        spend=happened.spend_tracking,
        scores=tuple(score for one in candidates for score in _scores(one, seen, happened)),
    )


def _happened(log: summary.Log, origin: int, horizon: int, points: int) -> Happened:
    steps = sorted({-(-horizon * point // points) for point in range(1, points + 1)})
    parts = [summary.split(log, origin, until=origin + step) for step in steps]
    return Happened(
        purchases=parts[-1].purchases,
        spend=parts[-1].spend,
        points=tuple(float(step) for step in steps),
        tracking=tuple(float(part.purchases.sum()) for part in parts),
        spend_tracking=tuple(float(part.spend.sum()) for part in parts),
    )


def _scores(candidate: Candidate, seen: Seen, happened: Happened) -> Iterator[Score]:
    """One score for each way the candidate learns the amounts."""
    fitted = candidate.fit(seen, happened.points[-1])
    if fitted is None:
        return
    path = [fitted.expected(t) for t in happened.points]
    purchases = measures.accuracy(path[-1], happened.purchases)
    silence = _silence(fitted, path[-1], happened)
    ranges, pit = _distribution(fitted, happened.purchases)
    for name, learnt in fitted.amounts.items():
        spend = measures.accuracy(path[-1] * learnt.mean, happened.spend)
        yield Score(
            name=name,
            baseline=candidate.baseline,
            step=fitted.step,
            purchases=purchases,
            spend=spend,
            silence=silence,
            ranges=ranges,
            pit=pit,
            spend_pit=_spend_pit(fitted, name, happened.spend),
            tracking=tuple(float(expected.sum()) for expected in path),
            spend_tracking=tuple(float((expected * learnt.mean).sum()) for expected in path),
            loss=combined_loss(purchases, happened.purchases, spend, happened.spend),
        )


def _silence(fitted: Fitted, expected: Floats, happened: Happened) -> Silence:
    """Without a probability the customers are ordered by how little they are expected to buy."""
    risk = fitted.p_no_purchase
    score, known = (-expected, False) if risk is None else (risk, True)
    return measures.silence(score, happened.purchases == 0, probability=known)


def _distribution(fitted: Fitted, bought: Floats) -> tuple[Ranges | None, Pit | None]:
    interval, placed = fitted.interval(NOMINAL), fitted.placed(bought)
    if interval is None or placed is None:
        return None, None
    return measures.ranges(*interval, bought, *placed, NOMINAL), measures.pit(*placed)


def _spend_pit(fitted: Fitted, name: str, spend: Floats) -> Pit | None:
    rows = np.arange(0, len(spend), -(-len(spend) // SAMPLE))
    placed = fitted.placed_spend(name, rows, spend[rows])
    return None if placed is None else measures.pit(*placed)


def combined_loss(purchases: Accuracy, bought: Floats, spend: Accuracy, spent: Floats) -> float | None:
    """One number for how far a forecast was off, free of units; None when nobody differs.

    The mean of six equal parts: for counts and for spend each the MAE over the mean absolute
    deviation of the actuals, the RMSE over their standard deviation, and the decile error. So who
    buys (MAE), the few who buy much (RMSE) and the level of every group (deciles) weigh the same,
    and so do counts and money. 1 is about the loss of knowing the average and nothing else.
    """
    parts = [*_parts(purchases, bought), *_parts(spend, spent)]
    return fmean(parts) if parts else None


def _parts(found: Accuracy, actual: Floats) -> tuple[float, ...]:
    if found.mae is None or found.rmse is None or found.decile_error is None or not np.ptp(actual):
        return ()
    deviation = float(np.abs(actual - actual.mean()).mean())
    return found.mae / deviation, found.rmse / float(actual.std()), found.decile_error
