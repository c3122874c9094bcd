"""Expected purchases of a living beta-geometric customer within a horizon, discounted or not.

While alive one buys at a rate w ~ Gamma(n, A) and leaves after each purchase with p ~ Beta(a, b), so
is still there at t with probability e^(-w p t). With a discount of e^(-delta t) what one buys is

    E[Y] = E over w and p of  w (1 - e^-((w p + delta) H)) / (w p + delta).

All is positive, whatever the parameters; the published 2F1 loses its digits for H large beside A, a
near 1 or n large beside b. Both means are sums over even steps, of ln w and of a double-exponential
transform of p, which converge exponentially. The mean over p depends on A not at all, so it is
computed once for all customers with equal n and b (equal x). Relative error below 1e-11.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.special import betaln, gammaln

from ltv.core.arrays import Floats, Ints, rows_dot

# what is smaller than e^-DEPTH of the largest is left out
DEPTH = 36.0
# share of A within which nobody leaves
MOMENT = 1e-25
# numbers a block holds in the processor's cache
BLOCK = 65_536


def expected(n: Floats, A: Floats, a: float, b: Floats, t: Floats) -> Floats:
    """E[Y] within t > 0, all arrays of one shape; of a moment it is n t/A."""
    long = np.maximum(t, MOMENT * A)
    return _mean(n, A / long, a, b, 0.0, 1.0) * (t / long)


def discounted(n: Floats, A: Floats, a: float, b: Floats, delta: float, horizon: float) -> Floats:
    """E[Y] within the horizon > 0 (may be inf), each discounted at delta > 0; arrays of one shape."""
    if np.isinf(horizon):
        return _mean(n, A * delta, a, b, 1.0, horizon)
    return _mean(n, A / horizon, a, b, delta * horizon, 1.0)


def _mean(n: Floats, A: Floats, a: float, b: Floats, delta: float, horizon: float) -> Floats:
    """The mean above for a horizon of 1 or inf, in any shape."""
    total = np.empty(len(n))
    for rows in _equal(n, b):
        shape, times = float(n[rows[0]]), A[rows]
        log_w, step = _rates(shape, times, min(horizon, 1.0 / max(delta, 1e-300)))
        w = np.exp(log_w)
        bought = step * w * _over_p(w, a, float(b[rows[0]]), delta, horizon)
        size = max(BLOCK // len(w), 1)
        for first in range(0, len(rows), size):
            some = slice(first, first + size)
            total[rows[some]] = rows_dot(_density(shape, times[some], log_w, w), bought)
    return total


def _equal(n: Floats, b: Floats) -> Iterator[Ints]:
    """Rows with equal n and b."""
    order = np.lexsort((b, n))
    changed = (np.diff(n[order]) != 0) | (np.diff(b[order]) != 0)
    return iter(np.split(order, np.flatnonzero(changed) + 1)) if len(n) else iter(())


def _rates(n: float, A: Floats, until: float) -> tuple[Floats, float]:
    """Even steps of ln w over all that counts for some A, and the step.

    What is bought rises with w, at most in proportion, and does so where w < 1/``until``.
    """
    low = np.log(n / A.max()) - _below(n)
    low = max(low, -np.log(max(A.max(), until)) - DEPTH / (n + 1.0))
    excess = DEPTH / (n + 1.0)
    high = np.log((n + 1.0) / A.min()) + np.log1p(excess + np.sqrt(2.0 * excess))
    step = 0.26 / np.sqrt(1.0 + (n + 1.0) / 9.0)
    return np.arange(low, high + step, step), step


def _below(n: float) -> float:
    """d with n (e^-d - 1 + d) >= DEPTH: how far below its peak a log-gamma density is nothing."""
    q = DEPTH / n
    return (q + np.sqrt(q * (q + 8.0))) / 2


def _density(n: float, A: Floats, log_w: Floats, w: Floats) -> Floats:
    """Of ln w with w ~ Gamma(n, A), shape (len(A), len(w))."""
    peak = n * np.log(n) - n - gammaln(n)
    scaled = A[:, None] / n
    return np.exp(peak + n * (log_w + np.log(scaled) + 1.0 - scaled * w))


def _over_p(w: Floats, a: float, b: float, delta: float, horizon: float) -> Floats:
    """Mean over p of (1 - e^-((w p + delta) H)) / (w p + delta), shape of w."""
    p, weights = _chances(a, b, float(w.max()) * min(horizon, 1.0 / max(delta, 1e-300)))
    total = np.empty(len(w))
    size = max(BLOCK // len(p), 1)
    for first in range(0, len(w), size):
        some = slice(first, first + size)
        rate = w[some, None] * p + delta
        lasting = 1.0 / rate if np.isinf(horizon) else -np.expm1(-rate) / rate
        total[some] = rows_dot(lasting, weights)
    return total


def _chances(a: float, b: float, largest: float) -> tuple[Floats, Floats]:
    """p ~ Beta(a, b) on even steps of u, logit p = pi/2 sinh u, and the weights of the steps.

    The steps resolve what changes at p ~ 1/``largest`` and the peak of the density.
    """
    edge = np.log(max(largest, b, np.e)) * 2.0 / np.pi
    step = 0.21 / np.sqrt(1.0 + edge**2) / np.sqrt(1.0 + min(a, b) / 50.0)
    reach = 45.0 - betaln(a, b)
    low, high = (np.arcsinh(reach / end / (np.pi / 2)) for end in (a, b))
    u = np.arange(-low, high + step, step)
    log_odds = np.pi / 2 * np.sinh(u)
    log_p, log_stay = -np.logaddexp(0.0, -log_odds), -np.logaddexp(0.0, log_odds)
    log_weight = a * log_p + b * log_stay + np.log(np.cosh(u))
    some = log_weight > log_weight.max() - DEPTH - np.log1p(largest)
    weights = np.exp(log_weight[some] - log_weight.max())
    return np.exp(np.maximum(log_p[some], -650.0)), weights / weights.sum()
