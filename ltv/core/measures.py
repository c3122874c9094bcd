"""How good a forecast was: predictions and what happened, both of shape (n,), one per customer.

Every measure that ranks customers is independent of the order they come in: within a tie of equal
predictions everybody counts with the mean actual of the tie, which is the expectation over all
ways to break it. A measure the data do not define is None, never NaN.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ltv.core.arrays import Floats, floats

GROUPS = 10


@dataclass(frozen=True)
class Deciles:
    """Customers in ten groups of falling prediction: mean predicted, mean actual, customers.

    As many groups as customers when there are fewer than ten.
    """

    predicted: tuple[float, ...]
    actual: tuple[float, ...]
    customers: tuple[int, ...]


@dataclass(frozen=True)
class Accuracy:
    """A point forecast beside what happened, in the unit of the forecast.

    mae, rmse: mean absolute and root mean squared error of a customer; bias: predicted total over
    actual total - 1, with bias_error its standard error from the spread between customers;
    correlation: Pearson's; gini: of the actuals ranked by prediction, 1 for the perfect order, 0 for
    none; top_tenth: share of the actual total that the tenth predicted highest (one customer at
    least) has; decile_error: mean distance of predicted and actual means over ten predicted
    groups, over the actual mean.

    None where not defined: everything without customers; bias, bias_error, top_tenth, decile_error
    when nothing happened; gini when nobody differs; correlation when a side is constant.
    """

    customers: int
    predicted_total: float
    actual_total: float
    mae: float | None
    rmse: float | None
    bias: float | None
    bias_error: float | None
    correlation: float | None
    gini: float | None
    top_tenth: float | None
    decile_error: float | None
    deciles: Deciles

    @property
    def top_fifth(self) -> float | None:
        """Share of the actual total that the two highest predicted tenths have."""
        if not self.actual_total:
            return None
        held = zip(self.deciles.actual[:2], self.deciles.customers[:2], strict=True)
        return sum(mean * customers for mean, customers in held) / self.actual_total


@dataclass(frozen=True)
class Silence:
    """How well "buys nothing in the horizon" was foreseen.

    share: of customers who bought nothing; auc: probability that of two customers, one silent and
    one not, the silent one had the higher risk (ties one half), None when all are alike; brier:
    mean squared error of the probability, None for forecasts that give none; deciles: probability
    and share of silent customers in ten groups of falling risk, None likewise.
    """

    share: float | None
    auc: float | None
    brier: float | None
    deciles: Deciles | None = None


@dataclass(frozen=True)
class Ranges:
    """How often predictive ranges held.

    nominal: what they promise; held: share of customers inside, ends included, at least nominal
    for whole numbers; coverage: the same with the probability of each end split as it should be,
    equal to nominal for a right forecast; width: mean of high - low.
    """

    nominal: float
    held: float | None
    coverage: float | None
    width: float | None


@dataclass(frozen=True)
class Pit:
    """Probability integral transform: where actuals fell in their predictive distributions.

    bars: share of customers in each tenth of the scale, .1 each for a right forecast; ks: largest
    distance of their distribution from the uniform one. The bars but the outer two are the
    coverage of central 80 % ranges.
    """

    bars: tuple[float, ...]
    ks: float | None


def accuracy(predicted: ArrayLike, actual: ArrayLike) -> Accuracy:
    """Measure a point forecast (n,) of counts or money against the actuals (n,), both >= 0."""
    predicted, actual = floats(predicted, actual)
    n, total = len(actual), float(actual.sum())
    error = predicted - actual
    p, a = ranked(predicted, actual)
    groups = deciles(p, a)
    distance = np.abs(np.subtract(groups.predicted, groups.actual))
    return Accuracy(
        customers=n,
        predicted_total=float(predicted.sum()),
        actual_total=total,
        mae=float(np.abs(error).mean()) if n else None,
        rmse=float(np.sqrt((error**2).mean())) if n else None,
        bias=float(error.sum()) / total if total else None,
        bias_error=float(np.sqrt(n) * error.std()) / total if total else None,
        correlation=correlation(predicted, actual),
        gini=gini(a, actual),
        top_tenth=float(a[: max(n // GROUPS, 1)].sum()) / total if total else None,
        decile_error=float(distance.mean()) / (total / n) if total else None,
        deciles=groups,
    )


def ranked(predicted: Floats, actual: Floats) -> tuple[Floats, Floats]:
    """Both by falling prediction, the actuals averaged within ties."""
    order = np.argsort(-predicted, kind="stable")
    p, a = predicted[order], actual[order]
    if not len(p):
        return p, a
    first = np.flatnonzero(np.diff(p, prepend=np.inf))
    sizes = np.diff(first, append=len(p))
    return p, np.repeat(np.add.reduceat(a, first) / sizes, sizes)


def deciles(predicted: Floats, actual: Floats) -> Deciles:
    """Ten groups as equal as can be, larger ones first; arguments as ``ranked`` returns them."""
    n = len(predicted)
    groups = min(GROUPS, n)
    if not groups:
        return Deciles((), (), ())
    sizes = np.full(groups, n // groups) + (np.arange(groups) < n % groups)
    first = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    means = (np.add.reduceat(array, first) / sizes for array in (predicted, actual))
    p, a = (tuple(mean.tolist()) for mean in means)
    return Deciles(p, a, tuple(sizes.tolist()))


def correlation(predicted: Floats, actual: Floats) -> float | None:
    """Pearson's correlation; None where a side does not vary."""
    if len(actual) < 2 or np.ptp(predicted) == 0 or np.ptp(actual) == 0:
        return None
    return float(np.corrcoef(predicted, actual)[0, 1])


def gini(ranking: Floats, actual: Floats) -> float | None:
    """Concentration of the actuals in the predicted order over that in the perfect order.

    ``ranking`` are the actuals as ``ranked`` returns them. None where nobody differs.
    """
    if not len(actual) or np.ptp(actual) == 0:
        return None
    return _concentration(ranking) / _concentration(np.sort(actual)[::-1])


def _concentration(actual: Floats) -> float:
    """Gini's index of actuals listed from the one expected highest."""
    n = len(actual)
    return float((2.0 * np.cumsum(actual).sum() / actual.sum() - n - 1.0) / n)


def silence(risk: ArrayLike, silent: ArrayLike, probability: bool = True) -> Silence:
    """Measure a risk (n,) of buying nothing against who bought nothing (n,), True or False.

    ``probability`` says that the risk is one; otherwise any number that rises with it will do and
    only the order is judged.
    """
    (risk,) = floats(risk)
    silent = np.atleast_1d(np.asarray(silent, dtype=bool))
    if not len(silent):
        return Silence(None, None, None)
    return Silence(
        share=float(silent.mean()),
        auc=auc(risk, silent),
        brier=float(((risk - silent) ** 2).mean()) if probability else None,
        deciles=deciles(*ranked(risk, silent.astype(np.float64))) if probability else None,
    )


def auc(score: Floats, event: NDArray[np.bool_]) -> float | None:
    """Area under the ROC curve by Mann and Whitney's ranks; None when all are alike."""
    hits = int(np.count_nonzero(event))
    misses = len(event) - hits
    if not hits or not misses:
        return None
    above = float(_ranks(score)[event].sum()) - hits * (hits + 1) / 2
    return above / (hits * misses)


def _ranks(score: Floats) -> Floats:
    """The places from 1 up, (n,); equals share the middle of theirs. scipy.stats costs every process a second to import."""
    _values, group, size = np.unique(score, return_inverse=True, return_counts=True)
    return (np.cumsum(size) - (size - 1) / 2)[group]


def pit(below: ArrayLike, upto: ArrayLike) -> Pit:
    """Measure predictive distributions: below is P(Y < y) and upto P(Y <= y) at the actual y, (n,).

    A whole number falls on an interval of the scale. The randomised transform draws a point of it;
    here is the mean over all draws, so the answer needs no generator. ks looks at hundredths.

    Source: Czado, Gneiting & Held (2009), "Predictive model assessment for count data",
    Biometrics 65(4), 1254-1261.
    """
    below, upto = floats(below, upto)
    if not len(below):
        return Pit((), None)
    levels = np.linspace(0.0, 1.0, 10 * GROUPS + 1)
    reached = np.array([share_below(level, below, upto) for level in levels])
    bars = np.diff(reached[::GROUPS])
    return Pit(tuple(bars.tolist()), float(np.abs(reached - levels).max()))


def share_below(level: float, below: Floats, upto: Floats) -> float:
    """Share of the customers' intervals [below, upto] of the scale that lies under ``level``."""
    width = np.maximum(upto - below, 1e-12)
    return float(np.clip((level - below) / width, 0.0, 1.0).mean())


def ranges(
    low: ArrayLike,
    high: ArrayLike,
    actual: ArrayLike,
    below: ArrayLike,
    upto: ArrayLike,
    nominal: float = 0.8,
) -> Ranges:
    """Measure central predictive ranges [low, high] of the ``nominal`` probability, all (n,).

    below and upto as ``pit`` takes them.
    """
    low, high, actual, below, upto = floats(low, high, actual, below, upto)
    if not len(actual):
        return Ranges(nominal, None, None, None)
    tail = (1.0 - nominal) / 2
    return Ranges(
        nominal=nominal,
        held=float(((low <= actual) & (actual <= high)).mean()),
        coverage=share_below(1.0 - tail, below, upto) - share_below(tail, below, upto),
        width=float((high - low).mean()),
    )
