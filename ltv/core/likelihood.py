"""The log-likelihood of a beta-geometric model with its gradient and Hessian, in one pass.

Per customer one log, one exponential and one log1p; what depends on x alone is computed on the
histogram of x.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import digamma, gammaln, polygamma

from ltv.core.arrays import Floats
from ltv.core.newton import Evaluation

# rows a pass holds in the processor's cache; for sums of products over more BLAS would start threads
BLOCK = 8_192


@dataclass(frozen=True)
class Histories:
    """Purchase histories arranged for repeated evaluation; weights are counts of equal rows.

    ``levels`` are the distinct x with their ``counts``; ``x, t_x, T, weights`` are the rows.
    """

    levels: Floats
    counts: Floats
    x: Floats
    t_x: Floats
    T: Floats
    weights: Floats
    chances: int

    @classmethod
    def of(cls, x: Floats, t_x: Floats, T: Floats, weights: Floats, chances: int) -> Histories:
        levels, index = np.unique(x, return_inverse=True)
        counts = np.bincount(index.reshape(-1), weights=weights).astype(np.float64)
        return cls(levels, counts, x, t_x, T, weights, chances)

    def value(self, parameters: Floats) -> float:
        return self.evaluate(parameters)[0]

    def evaluate(self, parameters: Floats) -> Evaluation:
        """Value, gradient (4,) and Hessian (4, 4) with respect to (r, alpha, a, b)."""
        with np.errstate(all="ignore"):
            value, gradient, hessian = self._of_levels(*parameters)
            for first in range(0, len(self.x), BLOCK):
                part = self._of_rows(slice(first, first + BLOCK), *parameters)
                value, gradient, hessian = (
                    value + part[0],
                    gradient + part[1],
                    hessian + part[2],
                )
        return float(value), gradient, hessian

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

    def _of_rows(self, rows: slice, r: float, alpha: float, a: float, b: float) -> Evaluation:
        """-(r+x) ln(alpha+T) and softplus(u), u the log-odds of having left."""
        x, w = self.x[rows], self.weights[rows]
        at_T, shape = alpha + self.T[rows], r + x
        at_t = alpha + self.t_x[rows]
        log_T = np.log(at_T)
        span = log_T - np.log(at_t)
        k = x + self.chances
        free = k > 0
        before = np.where(free, b + k - 1.0, 1.0)
        u = np.where(free, np.log(a) - np.log(before) + shape * span, -np.inf)
        left = np.where(u > 0, 1.0, np.exp(u)) / (1.0 + np.exp(-np.abs(u)))
        slope_alpha = shape * (1.0 / at_T - 1.0 / at_t)

        value = float(w @ (np.logaddexp(0.0, u) - shape * log_T))
        once, twice = w * left, w * left * (1.0 - left)
        inverse = 1.0 / before
        gradient = np.array([
            once @ span - w @ log_T,
            once @ slope_alpha - w @ (shape / at_T),
            once.sum() / a,
            -(once @ inverse),
        ])  # fmt: skip
        slopes = np.vstack([span, slope_alpha, np.full_like(u, 1.0 / a), -inverse])
        hessian = (slopes * twice) @ slopes.T
        cross = once @ (1.0 / at_T - 1.0 / at_t) - w @ (1.0 / at_T)
        hessian[0, 1] += cross
        hessian[1, 0] += cross
        hessian[1, 1] += w @ (shape / at_T**2) - once @ (shape * (1.0 / at_T**2 - 1.0 / at_t**2))
        hessian[2, 2] -= once.sum() / a**2
        hessian[3, 3] += once @ inverse**2
        return value, gradient, hessian
