"""The coming purchases of a customer known to be alive.

Rate ~ Gamma(shape, rate), chance to leave after each purchase ~ Beta(a, b), independently. With
N the purchases one would make if nobody left (negative binomial) and S_j = B(a, b+j)/B(a, b) the
chance to survive j purchases, exactly

    P(Y > y) = S_y P(N > y).

The mean is in ``expectation``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaln, gammaln, xlogy

from ltv.core import expectation
from ltv.core.arrays import Floats, Ints
from ltv.core.discounting import NO_DISCOUNT
from ltv.core.quantiles import of_counts


@dataclass(frozen=True)
class Living:
    """Posterior of living customers: arrays ``shape, rate, b`` (n,) and one number ``a``."""

    shape: Floats
    rate: Floats
    a: float
    b: Floats

    def part(self, rows: NDArray) -> Living:
        return Living(self.shape[rows], self.rate[rows], self.a, self.b[rows])

    def passed(self, t: float | Floats) -> Floats:
        """z = t / (rate + t), the share of a horizon in all the time ever seen."""
        return t / (self.rate + t)


def survives(living: Living, y: float | Floats) -> Floats:
    """S_y: chance to stay through y purchases."""
    return np.exp(betaln(living.a, living.b + y) - betaln(living.a, living.b))


def silent(living: Living, t: float | Floats) -> Floats:
    """P(Y = 0) within t."""
    return np.exp(-living.shape * np.log1p(t / living.rate))


def buys(living: Living, t: float | Floats) -> Floats:
    """P(Y > 0) within t."""
    return -np.expm1(-living.shape * np.log1p(t / living.rate))


def exceeds(living: Living, t: float | Floats, y: float | Floats) -> Floats:
    """P(Y > y) within t, for y = 0, 1, 2, ..."""
    return survives(living, y) * betainc(y + 1.0, living.shape, living.passed(t))


def tails(living: Living, t: float, edges: Floats) -> Floats:
    """P(Y > edge) within t at rising whole ``edges`` (k,), for living of shape (n, 1): (n, k).

    As ``exceeds``, but summed from the last edge down. The law of N is taken at two counts of each
    gap, which have the mean and the variance of all counts in it: exact for gaps of one and two.
    """
    gap, shape, z = np.diff(edges), living.shape, living.passed(t)
    middle, away = (edges[:-1] + 1.0 + edges[1:]) / 2, np.sqrt((gap**2 - 1.0) / 12.0)
    y = np.concatenate([middle - away, middle + away])
    ways = gammaln(shape + y) - gammaln(shape) - gammaln(y + 1.0)
    log_chance = ways + shape * np.log1p(-z) + y * np.log(z)
    # what is next to nothing is cut off: numbers that small are slow
    chance = np.exp(np.maximum(log_chance, -300.0, out=log_chance), out=log_chance)
    within = gap / 2 * (chance[:, : len(gap)] + chance[:, len(gap) :])
    beyond = betainc(edges[-1] + 1.0, shape, z)
    made = np.cumsum(np.hstack([within, beyond])[:, ::-1], axis=1)[:, ::-1]
    return survives(living, edges) * made


def pmf(living: Living, y: Floats, t: float | Floats) -> Floats:
    """P(Y = y) within t: y purchases and still here, or left with the y-th."""
    shape, z = living.shape, living.passed(t)
    exactly = np.exp(
        gammaln(shape + y) - gammaln(shape) - gammaln(y + 1)
        - shape * np.log1p(t / living.rate) + xlogy(y, z)
    )  # fmt: skip
    previous = np.maximum(y - 1.0, 0.0)
    leaves = survives(living, previous) * living.a / (living.a + living.b + previous)
    at_least = betainc(previous + 1.0, shape, z)
    return survives(living, y) * exactly + np.where(y > 0, leaves * at_least, 0.0)


def expected(living: Living, t: float | Floats) -> Floats:
    """E[Y] within t, shape (n,); for t = inf it is E[1/p], finite where a > 1."""
    n, rate, b, t = np.broadcast_arrays(living.shape, living.rate, living.b, t)
    if not np.all(np.isfinite(t)):
        return (living.a + b - 1.0) / (living.a - 1.0) if living.a > 1.0 else np.full(len(b), np.inf)
    made, rows = np.zeros(len(n)), np.flatnonzero(t > 0)
    made[rows] = expectation.expected(n[rows], rate[rows], living.a, b[rows], t[rows])
    return made


def discounted(living: Living, delta: float, horizon: float) -> Floats:
    """Expected purchases within the horizon, each discounted by e^(-delta t), shape (n,)."""
    if delta == 0.0 or delta * horizon < NO_DISCOUNT:
        return expected(living, horizon)
    return expectation.discounted(living.shape, living.rate, living.a, living.b, delta, horizon)


def quantiles(living: Living, t: float, index: Ints, alive: Floats, levels: Sequence[float]) -> Floats:
    """Smallest y with 1 - alive P(Y > y) >= q for each level q, shape (len(levels), n).

    ``living`` holds the distinct posteriors and ``index`` says which one a customer has; ``alive``
    is each customer's own probability.
    """
    return of_counts(lambda rows, y: exceeds(living.part(rows), t, y), index, alive, levels)
