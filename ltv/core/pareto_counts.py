"""The law of the number of purchases of a living Pareto/NBD customer, all terms positive.

With N the purchases one would make without leaving and z = w/(A + w),

    P(Y > y) = 1/B(y+1, n) * integral of z^(y+1) (1-z)^n (1 + w/B)^-s dln w,
    P(Y = y) = P(N = y) (1 + t/B)^-s + Gamma(n+y)/(Gamma(n) y!) *
               integral of z^y (1-z)^n (1 + w/B)^-s s w/(B+w) dln w,       both over 0 < w < t:

the (y+1)-th purchase comes before t and before leaving; or the customer leaves at w after y. Both
integrands are log-concave in ln w, so their peak and the ends of what counts are found safely.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import betaln, gammaln, xlogy

from ltv.core.arrays import Floats, Ints
from ltv.core.quadrature import DEPTH, by_order

NEWTON_STEPS = 6
# a slope that is none
FLAT = 1e-100
# stands for no time where a logarithm is taken
SOON = 1e-250


@dataclass(frozen=True)
class Bump:
    """z^p (1-z)^n (1 + w/B)^-s (w/(B+w))^left as a function of w; arrays (n,), p + left >= 1."""

    p: Floats
    left: int
    n: Floats
    s: float
    A: Floats
    B: Floats

    def log(self, w: Floats) -> Floats:
        of_A = self.p * np.log(w / self.A) - (self.p + self.n) * np.log1p(w / self.A)
        of_B = (self.s + self.left) * np.log1p(w / self.B)
        return of_A - of_B + np.log(w / self.B) if self.left else of_A - of_B

    def slope(self, w: Floats) -> Floats:
        """Of the logarithm, by ln w; it falls with w."""
        of_A, of_B = w / (self.A + w), w / (self.B + w)
        return self.p + self.left - (self.p + self.n) * of_A - (self.s + self.left) * of_B

    def part(self, rows: Ints) -> Bump:
        return Bump(self.p[rows], self.left, self.n[rows], self.s, self.A[rows], self.B[rows])

    def peak(self) -> Floats:
        """Where the slope is 0: the positive root of a quadratic equation in w."""
        first, unit = self.p + self.left, self.A + self.B
        square = self.n + self.s
        line = first - ((self.p + self.n) * self.B + (self.s + self.left) * self.A) / unit
        constant = first * (self.A / unit) * (self.B / unit)
        root = np.sqrt(line**2 + 4.0 * square * constant)
        with np.errstate(divide="ignore", invalid="ignore"):
            w = np.where(line > 0, (line + root) / (2.0 * square), 2.0 * constant / (root - line))
        return w * unit

    def window(self, t: Floats) -> tuple[Floats, Floats, Floats]:
        """What counts of 0 < w < t, and the height of the peak.

        The logarithm is concave in ln w, so Newton's steps come from its asymptotes to the ends.
        """
        top = self.log(np.minimum(self.peak(), t))
        level, log_A, log_B = top - DEPTH, np.log(self.A), np.log(self.B)
        low = np.exp((level + self.p * log_A + self.left * log_B) / (self.p + self.left))
        high = (self.n * log_A + self.s * log_B - level) / (self.n + self.s)
        high = np.exp(np.minimum(high, np.log(t)))
        for _ in range(NEWTON_STEPS):
            low = low * np.exp(self._beyond(low, level))
            high = high * np.exp(-self._beyond(high, level))
        return low, high, top

    def _beyond(self, w: Floats, level: Floats) -> Floats:
        """Newton's step in ln w to where the logarithm is ``level``; 0 where it is above."""
        below = np.maximum(level - self.log(w), 0.0)
        return below / np.maximum(np.abs(self.slope(w)), FLAT)

    def log_integral(self, t: Floats) -> Floats:
        """ln of the integral over ln w up to t, shape (n,).

        In v = ln(1 + w / min(A, B)), where the integrand is smooth for w near 0 too.
        """
        low, high, top = self.window(t)
        near = np.minimum(self.A, self.B)
        begin = np.log1p(low / near)
        width = np.log1p(high / near) - begin
        total = np.empty(len(width))
        for rows, nodes, weights in by_order(30.0 + 2.0 * width):
            grown = np.expm1(begin[rows] + nodes * width[rows])
            log = self.part(rows).log(near[rows] * grown)
            total[rows] = np.sum(np.exp(log - top[rows]) * (1.0 + 1.0 / grown) * weights, axis=0)
        return np.log(total * width) + top


def exceeds(n: Floats, s: float, A: Floats, B: Floats, t: Floats, y: Floats) -> Floats:
    """P(Y > y) within t, for y = 0, 1, 2, ...; all arrays (n,)."""
    log_mass = Bump(y + 1.0, 0, n, s, A, B).log_integral(np.maximum(t, SOON))
    return np.where(t > 0, np.exp(log_mass - betaln(y + 1.0, n)), 0.0)


def pmf(n: Floats, s: float, A: Floats, B: Floats, t: Floats, y: Floats) -> Floats:
    """P(Y = y) within t; all arrays (n,)."""
    ways = gammaln(n + y) - gammaln(n) - gammaln(y + 1.0)
    stayed = np.exp(ways - n * np.log1p(t / A) + xlogy(y, t / (A + t)) - s * np.log1p(t / B))
    log_mass = ways + Bump(y, 1, n, s, A, B).log_integral(np.maximum(t, SOON))
    return stayed + np.where(t > 0, s * np.exp(log_mass), 0.0)
