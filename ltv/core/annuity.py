"""What a payment at every renewal date is worth, when subscribers leave with a chance of their own.

With S(t) = B(alpha, beta + t) / B(alpha, beta) the share still there after t dates, and d the
discount rate per period, the sum over t < horizon of S(t) / (1+d)^t is the mean over
theta ~ Beta(alpha, beta) of (1 - q^horizon) / (1 - q), q = (1 - theta) / (1 + d). Without a horizon
that is 2F1(1, beta; alpha + beta; 1/(1+d)), whose series hardly converges for d near 0 and whose
transformations cancel for alpha near a whole number. The mean has positive terms only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, log_expit

from ltv.core.arrays import Floats

# step of the quadrature: finer by as much as a small d brings the pole at theta = -d nearer
STEP, POLE = 0.025, 0.7
# values of a quadrature held at once
CELLS = 2_000_000


def annuity(alpha: float, beta: Floats, d: float, horizon: float) -> Floats:
    """The sum for each beta, shape (n,); infinite for d = 0 without a horizon where alpha <= 1.

    Relative error below 1e-10.

    Raises:
        ValueError: d is negative.
    """
    if not d >= 0:
        raise ValueError("A discount rate cannot be negative.")
    if horizon == 0:
        return np.zeros(len(beta))
    if d == 0 and np.isinf(horizon):
        if alpha <= 1:
            return np.full(len(beta), np.inf)
        return (alpha + beta - 1.0) / (alpha - 1.0)
    largest = min((1.0 + d) / max(d, 1e-300), horizon)
    found = np.empty(len(beta))
    first = 0
    while first < len(beta):
        odds = _Odds.of(alpha, beta[first:], np.log(largest))
        found[first : first + len(odds.log)] = odds.mean_annuity(d, horizon)
        first += len(odds.log)
    return found


@dataclass(frozen=True)
class _Odds:
    """Nodes of a quadrature over theta ~ Beta(alpha, beta): its log-odds and weights of sum 1.

    Shape (betas, nodes). Trapezoids in u, with log-odds k sinh u beyond their centre, converge
    exponentially and reach both ends of theta; k is the width of the peak where it is sharp.
    """

    log: Floats
    weights: Floats

    @classmethod
    def of(cls, alpha: float, beta: Floats, log_largest: float) -> _Odds:
        """For as many of the betas as fit; integrands do not exceed exp(log_largest)."""
        width = np.sqrt((alpha + beta) / (alpha * beta))
        scale = np.minimum(width, np.pi / 2)
        left = np.arcsinh(((45.0 + log_largest) / alpha + 10.0 * width) / scale).max()
        right = np.arcsinh((45.0 / beta + 10.0 * width) / scale).max()
        step = min(STEP, POLE / max(log_largest, 1.0))
        u = np.arange(-left, right + step, step)
        rows = max(1, CELLS // len(u))
        beta, scale = beta[:rows, None], scale[:rows, None]
        away = scale * np.sinh(u)
        weights = np.exp(_log_density(alpha, beta, away)) * np.cosh(u)
        log = np.maximum(np.log(alpha / beta) + away, -700.0)  # a smaller theta is 0
        return cls(log, weights / weights.sum(axis=1, keepdims=True))

    def mean_annuity(self, d: float, horizon: float) -> Floats:
        values = (1.0 + d) / (d + expit(self.log))
        if np.isfinite(horizon):
            values *= -np.expm1(horizon * (log_expit(-self.log) - np.log1p(d)))
        return (self.weights * values).sum(axis=1)


def _log_density(alpha: float, beta: Floats, away: Floats) -> Floats:
    """Of the log-odds of theta, relative to the peak, at a distance from it."""
    peak = alpha / (alpha + beta)
    near = np.log1p(peak * np.expm1(np.clip(away, -1.0, 1.0)))
    far = np.logaddexp(np.log(beta / (alpha + beta)), np.log(peak) + away)
    return alpha * away - (alpha + beta) * np.where(np.abs(away) < 1.0, near, far)
