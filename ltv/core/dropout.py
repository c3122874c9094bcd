"""The chance that a Pareto/NBD customer left within a span of silence, all terms positive.

With a rate ~ Gamma(n, A) of buying and ~ Gamma(s, B) of leaving, the probability to leave within
``span`` before the next purchase is

    s * integral over 0 < w < span of (1 + w/A)^-n (1 + w/B)^-s dw / (B + w).

The published 2F1 are differences of such integrals and lose their digits; here w = min(A, B)
(e^v - 1), in which the integrand is analytic in |Im v| < pi, and a Gauss-Legendre rule of fitting
order is exact to 1e-12. A == B needs no case of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ltv.core.arrays import Floats, Ints
from ltv.core.quadrature import DEPTH, by_order

# of the search for the end of an integrand
NEWTON_STEPS = 5


@dataclass(frozen=True)
class Block:
    """Some rows of the integral on its nodes: ``rows`` (k,), the others (nodes, k).

    time: w; of_near, of_far: ln(1 + w/A) and ln(1 + w/B), A's first where ``near_is_A`` (k,); part:
    what a node adds to the integral.
    """

    rows: Ints
    time: Floats
    of_near: Floats
    of_far: Floats
    near_is_A: NDArray[np.bool_]
    part: Floats

    @property
    def of_A(self) -> Floats:
        return np.where(self.near_is_A, self.of_near, self.of_far)

    @property
    def of_B(self) -> Floats:
        return np.where(self.near_is_A, self.of_far, self.of_near)


def log_left(n: Floats, s: float, A: Floats, B: Floats, span: Floats) -> Floats:
    """Logarithm of the integral above, shape (n,); -inf where span is 0."""
    total = np.zeros(len(span))
    for block in blocks(n, s, A, B, span):
        total[block.rows] = block.part.sum(axis=0)
    with np.errstate(divide="ignore"):
        return np.log(total)


def blocks(n: Floats, s: float, A: Floats, B: Floats, span: Floats) -> Iterator[Block]:
    """The integrand on its nodes, a few thousand rows at a time."""
    first = A <= B
    near, far = np.where(first, A, B), np.where(first, B, A)
    of_near, of_far = np.where(first, n, s), np.where(first, s, n)
    reach, fall = _window(of_near, of_far, near / far, np.log1p(span / near))
    for rows, nodes, weights in by_order(5.5 + 0.5 * fall + 2.0 * reach):
        v = nodes * reach[rows]
        time = near[rows] * np.expm1(v)
        fallen = np.log1p(time / far[rows])
        part = np.exp(-of_near[rows] * v - of_far[rows] * fallen)
        part *= (near[rows] + time) / (B[rows] + time) * (weights * (s * reach[rows]))
        yield Block(rows, time, v, fallen, first[rows], part)


def _window(of_near: Floats, of_far: Floats, ratio: Floats, reach: Floats) -> tuple[Floats, Floats]:
    """End of v, cut where the integrand has fallen by e^-DEPTH, and the fall up to there.

    The fall is convex in v, so Newton's steps come down to the end from above.
    """
    fall = _fall(of_near, of_far, ratio, reach)
    deep = np.flatnonzero(fall > DEPTH)
    if len(deep):
        of_near, of_far, ratio = of_near[deep], of_far[deep], ratio[deep]
        end = np.minimum(reach[deep], DEPTH / (of_near + of_far * ratio))
        for _ in range(NEWTON_STEPS):
            above = np.maximum(_fall(of_near, of_far, ratio, end) - DEPTH, 0.0)
            grown = ratio * np.exp(end)
            end = end - above / (of_near + of_far * grown / (1.0 - ratio + grown))
        reach[deep] = end
        fall[deep] = _fall(of_near, of_far, ratio, end)
    return reach, fall


def _fall(of_near: Floats, of_far: Floats, ratio: Floats, v: Floats) -> Floats:
    return of_near * v + of_far * np.log1p(ratio * np.expm1(v))
