"""The coming purchases of a customer known to be alive.

Rate ~ Gamma(shape, rate), chance to leave after each purchase ~ Beta(a, b), independently. With
N the purchases one would make if nobody left (negative binomial) and S_j = B(a, b+j)/B(a, b) the
chance to survive j purchases, exactly

    P(Y > y) = S_y P(N > y),        E[Y] = sum over j of S_j P(N > j).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaln, gammaln, xlogy

from ltv.core.arrays import Floats, Ints
from ltv.core.quantiles import of_counts

# above this z the series needs too many terms
SERIES_UP_TO = 0.95
# discount exponent beyond which nothing counts, and the nodes up to there
DISCOUNTED_AWAY, DISCOUNT_NODES = 40.0, 32
# of the quadrature, and the rows it takes at once
STEP, BLOCK = 0.02, 1024


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
    """E[Y] within t, shape (n,).

    The published 2F1 loses all digits for z near 1 or a near 1. Here it is Euler-transformed and
    the factor (a - 1) divided out analytically. Where r is large beside b, or z is near 1, its
    terms cancel or do not end, and a quadrature over p takes over; where a is large (p has a sharp
    peak) the positive sum above.
    """
    a, c = living.a, living.a + living.b - 1.0
    z = living.passed(t)
    shape, b, c, z = np.broadcast_arrays(living.shape, living.b, c, z)
    g = c - shape
    made = np.full(shape.shape, np.nan)
    series = (g >= -2.0) & (a <= 30.0) & (z <= SERIES_UP_TO)
    made[series] = _by_series(a - 1.0, g[series], c[series], z[series])
    other = np.flatnonzero(~series & np.isfinite(shape * z))
    directly = _by_sum if a > 30.0 else _by_quadrature
    for first in range(0, len(other), BLOCK):
        rows = other[first : first + BLOCK]
        made[rows] = directly(a, shape[rows], b[rows], z[rows])
    return made


def _assemble(e: float, c: Floats, z: Floats, c_phi: Floats) -> Floats:
    """c [ (1 - w)/e - w phi ] with w = (1-z)^e, whose limit at e = 0 is c [-ln(1-z) - phi]."""
    log_rest = np.log1p(-z)
    grown = -np.expm1(e * log_rest) / e if abs(e) > 1e-12 else -log_rest
    return c * grown - np.exp(e * log_rest) * c_phi


def _by_series(e: float, g: Floats, c: Floats, z: Floats) -> Floats:
    """phi = (2F1(g, e; c; z) - 1) / e = sum over n >= 1 of (g)_n (e+1)_(n-1) / ((c)_n n!) z^n.

    Summed as c phi, which is finite at c = 0 (a + b = 1) too.
    """
    c_phi = np.zeros_like(z)
    term = g * z
    rows = np.arange(len(z))
    n = 1
    while len(rows):
        c_phi[rows] += term
        term = term * (g[rows] + n) * (e + n) / ((c[rows] + n) * (n + 1.0)) * z[rows]
        n += 1
        if n % 8 == 0:
            going = np.abs(term) > 1e-15 * np.abs(c_phi[rows]) * (1.0 - z[rows])
            rows, term = rows[going], term[going]
    return _assemble(e, c, z, c_phi)


def _by_quadrature(a: float, shape: Floats, b: Floats, z: Floats) -> Floats:
    """Mean over p ~ Beta(a, b) of (1 - (1 + p t/rate)^-shape) / p, all positive.

    Trapezoids in u with logit p = pi/2 sinh u, which reach both ends of p and converge
    exponentially; the logarithm of p is kept because p itself underflows.
    """
    scale = betaln(a, b)
    reach = 45.0 - float(scale.min())
    low, high = (np.arcsinh(reach / end / (np.pi / 2)) for end in (a, float(b.min())))
    u = np.arange(-low, high + STEP, STEP)
    log_odds = np.pi / 2 * np.sinh(u)
    log_p, log_stay = -np.logaddexp(0.0, -log_odds), -np.logaddexp(0.0, log_odds)
    p = np.exp(np.maximum(log_p, -600.0))
    width = STEP * np.pi / 2 * np.cosh(u)
    log_time = np.log1p(p * (z / (1.0 - z))[:, None])
    purchases = -np.expm1(-shape[:, None] * log_time) / p
    density = np.exp(a * log_p + b[:, None] * log_stay - scale[:, None])
    return (density * purchases) @ width


def _by_sum(a: float, shape: Floats, b: Floats, z: Floats) -> Floats:
    """Sum of S_j P(N > j), all terms positive; ends where the terms no longer count."""
    total = np.zeros_like(z)
    rows = np.arange(len(z))
    survival = np.ones_like(z)
    j = 0
    while len(rows):
        term = survival * betainc(j + 1.0, shape[rows], z[rows])
        total[rows] += term
        survival = survival * (b[rows] + j) / (a + b[rows] + j)
        j += 1
        going = term > 1e-14 * total[rows]
        rows, survival = rows[going], survival[going]
    return total


def discounted(living: Living, delta: float, horizon: float) -> Floats:
    """Expected purchases within the horizon, each discounted by e^(-delta t), shape (n,).

    By parts: e^(-delta H) E[Y(H)] + delta * integral of e^(-delta t) E[Y(t)] dt, with nodes even in
    ln(rate + t) because buying slows down on that scale.
    """
    if delta == 0.0:
        return expected(living, horizon) if np.isfinite(horizon) else _for_ever(living)
    end = min(horizon, DISCOUNTED_AWAY / delta)
    total = np.exp(-delta * end) * expected(living, end)
    reach = np.log1p(end / living.rate)
    nodes, weights = np.polynomial.legendre.leggauss(DISCOUNT_NODES)
    for node, weight in zip((nodes + 1.0) / 2, weights / 2, strict=True):
        t = living.rate * np.expm1(node * reach)
        share = delta * np.exp(-delta * t) * weight * reach * (living.rate + t)
        total = total + share * expected(living, t)
    return total


def _for_ever(living: Living) -> Floats:
    """E[1/p], the purchases of a whole life: finite where a > 1."""
    a, b = living.a, living.b
    return (a + b - 1.0) / (a - 1.0) if a > 1.0 else np.full_like(b, np.inf)


def quantiles(living: Living, t: float, index: Ints, alive: Floats, levels: Sequence[float]) -> Floats:
    """Smallest y with 1 - alive P(Y > y) >= q for each level q, shape (len(levels), n).

    ``living`` holds the distinct posteriors and ``index`` says which one a customer has; ``alive``
    is each customer's own probability.
    """
    return of_counts(lambda rows, y: exceeds(living.part(rows), t, y), index, alive, levels)
