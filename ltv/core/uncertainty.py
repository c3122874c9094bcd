"""How sure a prediction is: the law of what a customer will do, and what the parameters leave open.

The law of a customer's purchases and spend in a horizon is exact for given parameters (``outlook``,
``revenue``). What the parameters themselves leave open is the normal law of their logarithms at
the optimum (Laplace), integrated axis by axis with three Gauss-Hermite points,

    E[f] = f(best) + sum over axes of [f(+) - 2 f(best) + f(-)] / 6,   +/- sqrt(3) standard errors,

which is exact to the fourth order along each axis: nine evaluations for four parameters, no random
numbers, and the same answer every night. ``draws`` gives random parameters where those are wanted.
From about 10,000 customers on the parameters hardly matter.

Source: univariate dimension reduction, Rahman & Xu (2004), Prob. Eng. Mechanics 19, 393-408.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from ltv.core import gamma_gamma, models, outlook, revenue
from ltv.core.arrays import Floats, Ints, floats, pairs
from ltv.core.gamma_gamma import GammaGamma

Params = TypeVar("Params")
Covariance = Sequence[Sequence[float]]

# a parameter is never moved by more than this factor: the normal law does not reach further
FARTHEST = 20.0
# customers up to whom ranges over all likely parameters are worth their time: at 500 customers they
# hold .2 % more than those of the best parameters, at 5,000 nothing that could be measured
MATTERS_UP_TO = 2_000
# customers from whom the deviation of a total is worked out
SAMPLE = 20_000


@dataclass(frozen=True)
class Point:
    """Parameters and their weight; weights add up to 1, that of the best may be negative.

    ``buying`` are the parameters of a transaction model.
    """

    weight: float
    buying: Any
    spending: GammaGamma | None


def best(buying: Any, spending: GammaGamma | None = None) -> tuple[Point, ...]:
    """The parameters taken for certain."""
    return (Point(1.0, buying, spending),)


def likely(
    buying: Any,
    buying_covariance: Covariance,
    spending: GammaGamma | None = None,
    spending_covariance: Covariance = (),
) -> tuple[Point, ...]:
    """Parameters that stand for all that the data leave open, the best first.

    The covariances are of the logarithms of the parameters (``Fit.covariance``); an empty one
    takes its parameters for certain.
    """
    other = [Point(1 / 6, moved, spending) for moved in axes(buying, buying_covariance)]
    if spending is not None:
        away = axes(spending, spending_covariance)
        other += [Point(1 / 6, buying, _with_mean(moved, spending)) for moved in away]
    return (Point(1.0 - len(other) / 6, buying, spending), *other)


def _with_mean(moved: GammaGamma, gg: GammaGamma) -> GammaGamma:
    """No further towards q = 1, where the population has no mean, than half way."""
    return replace(moved, q=max(moved.q, (1.0 + gg.q) / 2)) if gg.has_mean else moved


def axes(params: Params, covariance: Covariance) -> list[Params]:
    """Parameters sqrt(3) standard errors up and down each principal axis of their logarithms."""
    if not len(covariance):
        return []
    values, vectors = np.linalg.eigh(np.asarray(covariance))
    steps = (vectors * np.sqrt(3.0 * np.maximum(values, 0.0))).T
    return [moved(params, sign * step) for step in steps for sign in (1.0, -1.0)]


def draws(params: Params, covariance: Covariance, rng: np.random.Generator, count: int) -> list[Params]:
    """Random parameters, normal in their logarithms, in opposite pairs so that they centre exactly.

    Without a covariance the parameters themselves, ``count`` times.
    """
    if not len(covariance):
        return [params] * count
    size = len(covariance)
    normal = rng.multivariate_normal(np.zeros(size), np.asarray(covariance), (count + 1) // 2)
    both = np.stack([normal, -normal], axis=1).reshape(-1, size)
    return [moved(params, step) for step in both[:count]]


def moved(params: Params, step: Floats) -> Params:
    """Parameters with ``step`` (k,) added to their logarithms."""
    limit = np.log(FARTHEST)
    values = np.array(astuple(params)) * np.exp(np.clip(step, -limit, limit))  # type: ignore[call-overload]
    return type(params)(*(float(value) for value in values))


def purchases_cdf(
    buying: Any, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, horizon: float, y: ArrayLike
) -> Floats:
    """P(Y <= y) of the purchase days in (T, T + horizon], shape (n,); 0 for y < 0."""
    x, t_x, T, y = floats(x, t_x, T, y)
    more = outlook.of(buying, x, T).exceeds(horizon, np.maximum(np.floor(y), 0.0))
    return np.where(y < 0, 0.0, 1.0 - _alive(buying, x, t_x, T) * more)


def _alive(buying: Any, x: Floats, t_x: Floats, T: Floats) -> Floats:
    return models.of(buying).p_alive(buying, x, t_x, T)


def spend_cdf(
    buying: Any,
    spending: GammaGamma,
    x: ArrayLike,
    t_x: ArrayLike,
    T: ArrayLike,
    m: ArrayLike,
    horizon: float,
    s: ArrayLike,
) -> Floats:
    """P(S <= s) of the spend in (T, T + horizon], shape (n,); 0 for s < 0, P(Y = 0) at s = 0.

    Exact to 1e-8: the sum over all counts of P(Y = y) times the law of y purchases, see
    ``revenue``. 1 - spend_cdf is the chance that a customer spends more than s.

    Raises:
        ValueError: ``spending`` has no mean (q <= 1).
    """
    x, t_x, T, m, s = floats(x, t_x, T, m, s)
    spend = gamma_gamma.expected_spend(spending, x, m)
    w = np.maximum(s, 0.0) / (spend * (spending.p * x + spending.q - 1.0) / spending.p)
    more = revenue.exceeds(outlook.of(buying, x, T), spending, x, w, horizon)
    return np.where(s < 0, 0.0, 1.0 - _alive(buying, x, t_x, T) * more)


def average(points: Sequence[Point], law: Callable[[Point], Floats]) -> Floats:
    """Expectation over the parameters of a probability, kept between 0 and 1."""
    total = sum(point.weight * law(point) for point in points)
    return np.clip(total, 0.0, 1.0)


def purchase_quantiles(
    points: Sequence[Point],
    x: ArrayLike,
    t_x: ArrayLike,
    T: ArrayLike,
    horizon: float,
    levels: Sequence[float],
) -> Floats:
    """Smallest y with P(Y <= y) >= q over all likely parameters, shape (len(levels), n).

    Found from the quantiles at the best parameters by steps of one purchase.
    """
    x, t_x, T = floats(x, t_x, T)
    buying = points[0].buying
    found = models.of(buying).purchase_quantiles(buying, x, t_x, T, horizon, levels)
    if len(points) == 1:
        return found

    def reached(rows: Ints, y: Floats) -> Floats:
        return average(points, lambda p: purchases_cdf(p.buying, x[rows], t_x[rows], T[rows], horizon, y))

    for y, q in zip(found, levels, strict=True):
        _walk(y, reached, q)
    return found


def _walk(y: Floats, reached: Callable[[Ints, Floats], Floats], q: float) -> None:
    """Move each y, in place, to the smallest count that reaches the level."""
    rows = np.arange(len(y))
    while len(rows := rows[reached(rows, y[rows]) < q]):
        y[rows] += 1.0
    rows = np.flatnonzero(y > 0)
    while len(rows := rows[(y[rows] > 0) & (reached(rows, y[rows] - 1.0) >= q)]):
        y[rows] -= 1.0


def spend_quantiles(
    points: Sequence[Point],
    x: ArrayLike,
    t_x: ArrayLike,
    T: ArrayLike,
    m: ArrayLike,
    horizon: float,
    levels: Sequence[float],
) -> Floats:
    """Quantiles of the spend in (T, T + horizon] over all likely parameters, (len(levels), n).

    At the best parameters by ``revenue.quantiles``. For the others the level is shifted by what
    they change in P(S <= s) there, so that the mixture reaches the level to first order.

    Raises:
        ValueError: the best parameters of spending are missing or have no mean (q <= 1).
    """
    x, t_x, T, m = floats(x, t_x, T, m)
    buying, spending = points[0].buying, _spending(points[0])
    alive, spend = _alive(buying, x, t_x, T), gamma_gamma.expected_spend(spending, x, m)
    known = buying, spending, pairs(x, T), spend, alive, horizon
    found = revenue.quantiles(*known, levels)
    if len(points) == 1:
        return np.vstack(found)

    def change(s: Floats) -> Floats:
        laws = [spend_cdf(p.buying, _spending(p), x, t_x, T, m, horizon, s) for p in points]
        return sum(p.weight * law for p, law in zip(points, laws, strict=True)) - laws[0]

    shifted = [np.clip(q - change(s), 0.5 * q, 0.5 + 0.5 * q) for q, s in zip(levels, found, strict=True)]
    return np.vstack(revenue.quantiles(*known, shifted))


def lower_bound(
    points: Sequence[Point],
    x: ArrayLike,
    t_x: ArrayLike,
    T: ArrayLike,
    m: ArrayLike,
    horizon: float,
    confidence: float = 0.8,
) -> Floats:
    """The spend in (T, T + horizon] that a customer reaches with probability ``confidence``, (n,).

    0 for all who may well buy nothing: a lower bound does not flatter lucky outliers.
    """
    return spend_quantiles(points, x, t_x, T, m, horizon, (1.0 - confidence,))[0]


def _spending(point: Point) -> GammaGamma:
    if point.spending is None:
        raise ValueError("The spend of a customer needs parameters of gamma-gamma.")
    return point.spending


@dataclass(frozen=True)
class Total:
    """A total over customers: what is expected, and one standard deviation of it.

    ``chance`` is what independent customers do differently from what is expected of them,
    ``parameters`` what the parameters leave open; both in the unit of the total.
    """

    expected: float
    chance: float
    parameters: float

    @property
    def deviation(self) -> float:
        """Standard deviation of the total."""
        return float(np.hypot(self.chance, self.parameters))

    def quantile(self, level: float) -> float:
        """The total that is not exceeded with probability ``level``, 0 < level < 1.

        Log-normal with this mean and deviation: normal for many customers, and never negative for
        few.
        """
        if self.expected <= 0.0:
            return 0.0
        spread = np.log1p((self.deviation / self.expected) ** 2)
        return float(self.expected * np.exp(np.sqrt(spread) * ndtri(level) - spread / 2))

    def range(self, coverage: float = 0.8) -> tuple[float, float]:
        """The central range that holds the total with probability ``coverage``."""
        tail = (1.0 - coverage) / 2
        return self.quantile(tail), self.quantile(1.0 - tail)


# of a purchase count Y with E[S] = mean E[Y] and E[S^2] = squares E[Y^2] + counts E[Y]
Amounts = Callable[[Point, Ints], tuple[Floats, Floats, Floats]]


def total_purchases(
    points: Sequence[Point], x: ArrayLike, t_x: ArrayLike, T: ArrayLike, horizon: float
) -> Total:
    """Purchase days of all customers (n,) together in (T, T + horizon]."""
    x, t_x, T = floats(x, t_x, T)

    def amounts(_: Point, rows: Ints) -> tuple[Floats, Floats, Floats]:
        return np.ones(len(rows)), np.ones(len(rows)), np.zeros(len(rows))

    return _total(points, x, t_x, T, horizon, amounts)


def total_spend(
    points: Sequence[Point],
    x: ArrayLike,
    t_x: ArrayLike,
    T: ArrayLike,
    m: ArrayLike,
    horizon: float,
    worth: ArrayLike = 1.0,
) -> Total:
    """Spend of all customers (n,) together in (T, T + horizon], in money.

    ``worth`` (n,) is what a unit of a customer's spend counts for: the margin rate, times CLV over
    undiscounted margin for a total of CLV.

    Raises:
        ValueError: the best parameters of spending are missing or have no mean (q <= 1).
    """
    x, t_x, T, m, worth = floats(x, t_x, T, m, worth)

    def amounts(point: Point, rows: Ints) -> tuple[Floats, Floats, Floats]:
        spending = _spending(point)
        mean = gamma_gamma.expected_spend(spending, x[rows], m[rows]) * worth[rows]
        inverse_square = gamma_gamma.inverse_square(spending, x[rows], m[rows]) * worth[rows] ** 2
        return mean, spending.p**2 * inverse_square, spending.p * inverse_square

    return _total(points, x, t_x, T, horizon, amounts)


def _total(
    points: Sequence[Point], x: Floats, t_x: Floats, T: Floats, horizon: float, amounts: Amounts
) -> Total:
    """The expectation of all; the deviations of ``SAMPLE`` customers taken evenly by (x, T)."""
    best = points[0]
    everybody = np.arange(len(x))
    rows = everybody if len(x) <= SAMPLE else np.lexsort((T, x))[:: len(x) // SAMPLE]
    share = len(rows) / max(len(x), 1)

    def purchases(buying: Any, rows: Ints) -> Floats:
        return models.of(buying).expected_purchases(buying, x[rows], t_x[rows], T[rows], horizon)

    alive = _alive(best.buying, x[rows], t_x[rows], T[rows])
    first, second = (alive * moment for moment in _moments(best.buying, x[rows], T[rows], horizon))
    mean, squares, counts = amounts(best, rows)
    variance = float(np.sum(squares * second + counts * first - (mean * first) ** 2))
    bought = {buying: purchases(buying, rows) for buying in dict.fromkeys(p.buying for p in points)}
    values = [float(bought[point.buying] @ amounts(point, rows)[0]) for point in points]
    return Total(
        expected=float(purchases(best.buying, everybody) @ amounts(best, everybody)[0]),
        chance=float(np.sqrt(variance / share)) if len(rows) else 0.0,
        parameters=_deviation(points, values) / share if len(rows) else 0.0,
    )


def _deviation(points: Sequence[Point], values: list[float]) -> float:
    """Standard deviation over the parameters of something that has these values at the points."""
    away = np.array(values) - values[0]
    weights = np.array([point.weight for point in points])
    variance = float(weights @ away**2) - float(weights @ away) ** 2
    return float(np.sqrt(max(variance, 0.0)))


def _moments(buying: Any, x: Floats, T: Floats, horizon: float) -> tuple[Floats, Floats]:
    """E[Y] and E[Y^2] of customers known to be alive, shape (n,)."""
    distinct = pairs(x, T)
    first, second = outlook.of(buying, distinct.x, distinct.T).moments(horizon)
    return distinct.spread(first), distinct.spread(second)
