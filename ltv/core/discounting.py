"""The present value of buying that slows down as a power of time."""

from __future__ import annotations

import numpy as np

from ltv.core.arrays import Floats
from ltv.core.quadrature import DEPTH, by_order

NEWTON_STEPS = 8
# a discount over the whole horizon that no digit of a double shows
NO_DISCOUNT = 1e-17


def discounted_power(power: Floats, kappa: Floats, end: Floats) -> Floats:
    """Integral over 0 < u < end of e^(-kappa u) (1 + u)^-power, all arrays (n,), kappa > 0.

    ``end`` may be inf: then it is Psi(1, 2 - power; kappa), the confluent hypergeometric function of
    the second kind, which loses its digits or overflows as published. Relative error below 1e-11.
    """
    reach, top = _window(power, kappa, np.log1p(end))
    total = np.empty(len(reach))
    for rows, nodes, weights in by_order(22.0 + 4.0 * reach):
        v = nodes * reach[rows]
        log = -kappa[rows] * np.expm1(v) - (power[rows] - 1.0) * v
        total[rows] = np.sum(np.exp(log - top[rows]) * weights, axis=0)
    return total * reach * np.exp(top)


def _window(power: Floats, kappa: Floats, reach: Floats) -> tuple[Floats, Floats]:
    """End of v = ln(1 + u), cut where the integrand has fallen by e^-DEPTH, and its peak.

    The logarithm is concave; Newton's steps come down to the end from above.
    """
    growth = 1.0 - power
    peak = np.minimum(np.log(np.maximum(growth / kappa, 1.0)), reach)
    top = growth * peak - kappa * np.expm1(peak)
    # 2 DEPTH: the growth never makes up for more than a few
    end = np.log1p(2.0 * DEPTH / kappa)
    for _ in range(NEWTON_STEPS):
        short = np.maximum(top - DEPTH - (growth * end - kappa * np.expm1(end)), 0.0)
        end = end - short / (kappa * np.exp(end) - growth)
    return np.minimum(end, reach), top
