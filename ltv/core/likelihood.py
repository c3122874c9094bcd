"""The log-likelihood of a beta-geometric model with its gradient and Hessian, in one pass.

Per customer one log, and two more with an exponential where there was a chance to leave; what
depends on x alone is computed on the histogram of x.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import digamma, gammaln, polygamma

from ltv.core.arrays import BLOCK, Floats, Ints, histogram
from ltv.core.newton import Evaluation

# of an exponential that stays a number, whatever it is multiplied by
LARGEST_EXPONENT = 650.0


@dataclass(frozen=True)
class Rows:
    """Histories (n,); weights are counts of equal rows."""

    x: Floats
    t_x: Floats
    T: Floats
    weights: Floats

    def part(self, rows: slice | Ints) -> Rows:
        return Rows(self.x[rows], self.t_x[rows], self.T[rows], self.weights[rows])


@dataclass(frozen=True)
class Histories:
    """Purchase histories arranged for repeated evaluation; ``levels`` are the distinct x with their
    ``counts``."""

    levels: Floats
    counts: Floats
    rows: Rows
    chances: int

    @classmethod
    def of(cls, x: Floats, t_x: Floats, T: Floats, weights: Floats, chances: int) -> Histories:
        return cls(*histogram(x, weights), Rows(x, t_x, T, weights), chances)

    def value(self, parameters: Floats) -> float:
        return self.evaluate(parameters)[0]

    def evaluate(self, parameters: Floats) -> Evaluation:
        """Value, gradient (4,) and Hessian (4, 4) with respect to (r, alpha, a, b)."""
        with np.errstate(all="ignore"):
            value, gradient, hessian = self._of_levels(*parameters)
            for part in self._of_rows(*parameters):
                value, gradient, hessian = value + part[0], gradient + part[1], hessian + part[2]
        return float(value), gradient, hessian

    def _of_rows(self, r: float, alpha: float, a: float, b: float) -> Iterator[Evaluation]:
        for first in range(0, len(self.rows.x), BLOCK):
            rows = self.rows.part(slice(first, first + BLOCK))
            at_T = alpha + rows.T
            log_time, pace = np.log(at_T), 1.0 / at_T
            yield _of_observing(rows, log_time, pace, r)
            free = np.flatnonzero(rows.x + self.chances > 0)
            if len(free) < len(rows.x):
                rows, log_time, pace = rows.part(free), log_time[free], pace[free]
            yield _of_leaving(rows, log_time, pace, r, alpha, a, rows.x + (b + self.chances - 1.0))

    def _of_levels(self, r: float, alpha: float, a: float, b: float) -> Evaluation:
        """Gamma(r+x)/Gamma(r) B(a, b+k)/B(a, b) and alpha^r."""
        x, n = self.levels, self.counts
        total, k = n.sum(), self.levels + self.chances
        value = n @ (
            gammaln(r + x) - gammaln(r) + gammaln(b + k) - gammaln(b)
            - gammaln(a + b + k) + gammaln(a + b)
        ) + total * r * np.log(alpha)  # fmt: skip
        both = n @ (digamma(a + b) - digamma(a + b + k))
        gradient = np.array([
            n @ (digamma(r + x) - digamma(r)) + total * np.log(alpha),
            total * r / alpha,
            both,
            both + n @ (digamma(b + k) - digamma(b)),
        ])  # fmt: skip
        hessian = np.zeros((4, 4))
        both = n @ (polygamma(1, a + b) - polygamma(1, a + b + k))
        hessian[2:, 2:] = both
        hessian[3, 3] += n @ (polygamma(1, b + k) - polygamma(1, b))
        hessian[0, 0] = n @ (polygamma(1, r + x) - polygamma(1, r))
        hessian[0, 1] = hessian[1, 0] = total / alpha
        hessian[1, 1] = -total * r / alpha**2
        return value, gradient, hessian


def _of_observing(rows: Rows, log_time: Floats, pace: Floats, r: float) -> Evaluation:
    """-(r+x) ln(alpha+T), from ``log_time`` = ln(alpha+T) and ``pace`` = 1/(alpha+T)."""
    each = np.stack([log_time, pace, pace * pace])
    alone, times_x = each @ rows.weights, each @ (rows.weights * rows.x)
    value, slope, curve = r * alone + times_x
    hessian = np.zeros((4, 4))
    hessian[0, 1] = hessian[1, 0] = -alone[1]
    hessian[1, 1] = curve
    return -value, np.array([-alone[0], -slope, 0.0, 0.0]), hessian


def _of_leaving(
    rows: Rows, log_time: Floats, pace: Floats, r: float, alpha: float, a: float, before: Floats
) -> Evaluation:
    """ln(1 + odds), the odds of having left a/before ((alpha+T)/(alpha+t_x))^(r+x); before = b+k-1."""
    shape, last, inverse, once = r + rows.x, 1.0 / (alpha + rows.t_x), 1.0 / before, rows.weights
    span = log_time + np.log(last)
    growth = shape * span
    exponent = np.minimum(growth, LARGEST_EXPONENT)
    odds = a * inverse * np.exp(exponent)
    staying = 1.0 / (1.0 + odds)
    value = float(once @ (growth - exponent - np.log(staying)))

    # slopes of the logarithm of the odds, and what its own curvature adds
    slopes = np.empty((4, len(shape)))
    slopes[0], slopes[1], slopes[2], slopes[3] = span, shape * (pace - last), 1.0 / a, -inverse
    once = once * odds * staying
    gradient = slopes @ once
    twice = once * staying
    hessian = np.stack([slopes @ (twice * slope) for slope in slopes])
    hessian[[0, 1], [1, 0]] += once @ (pace - last)
    hessian[[1, 2, 3], [1, 2, 3]] += [
        -(once @ (slopes[1] * (pace + last))), -once.sum() / a**2, once @ inverse**2
    ]  # fmt: skip
    return value, gradient, hessian
