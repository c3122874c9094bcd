"""The log-likelihood of Pareto/NBD with its gradient and Hessian, in one pass.

Per customer one integral over the unseen time of leaving (``dropout``); its derivatives are
moments on the same nodes. What depends on x alone is computed on the histogram of x.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import digamma, expit, gammaln, polygamma

from ltv.core import dropout
from ltv.core.arrays import Floats, dot
from ltv.core.newton import Evaluation


@dataclass(frozen=True)
class Histories:
    """Purchase histories arranged for repeated evaluation; weights are counts of equal rows.

    ``levels`` are the distinct x with their ``counts``, ``ends`` the distinct T with the customers
    and the purchases seen up to then; ``x, t_x, T, weights`` are the rows with a time of silence,
    those without a repeat purchase gathered by T.
    """

    levels: Floats
    counts: Floats
    ends: Floats
    customers: Floats
    purchases: Floats
    x: Floats
    t_x: Floats
    T: Floats
    weights: Floats

    @classmethod
    def of(cls, x: Floats, t_x: Floats, T: Floats, weights: Floats) -> Histories:
        levels, index = np.unique(x, return_inverse=True)
        counts = np.bincount(index, weights=weights).astype(np.float64)
        ends, index = np.unique(T, return_inverse=True)
        customers = np.bincount(index, weights=weights).astype(np.float64)
        purchases = np.bincount(index, weights=weights * x).astype(np.float64)
        once = np.bincount(index, weights=weights * (x == 0))
        zero = np.zeros(len(ends))
        again, some = (x > 0) & (t_x < T), (once > 0) & (ends > 0)
        rows = ((zero, x), (zero, t_x), (ends, T), (once, weights))
        gathered = (np.concatenate([one[some], other[again]]) for one, other in rows)
        return cls(levels, counts, ends, customers, purchases, *gathered)

    def evaluate(self, parameters: Floats) -> Evaluation:
        """Value, gradient (4,) and Hessian (4, 4) with respect to (r, alpha, s, beta)."""
        with np.errstate(all="ignore"):
            levels = self._of_levels(*parameters)
            return _add(_add(levels, self._of_ends(*parameters)), self._of_leaving(*parameters))

    def _of_levels(self, r: float, alpha: float, s: float, beta: float) -> Evaluation:
        """Gamma(r+x)/Gamma(r) alpha^r beta^s."""
        x, n = self.levels, self.counts
        total = float(n.sum())
        value = n @ (gammaln(r + x) - gammaln(r)) + total * (r * np.log(alpha) + s * np.log(beta))
        slope = n @ (digamma(r + x) - digamma(r)) + total * np.log(alpha)
        gradient = np.array([slope, total * r / alpha, total * np.log(beta), total * s / beta])
        bend = float(n @ (polygamma(1, r + x) - polygamma(1, r)))
        return (
            value,
            gradient,
            _blocks_of(
                (bend, total / alpha, -total * r / alpha**2), (0.0, total / beta, -total * s / beta**2)
            ),
        )

    def _of_ends(self, r: float, alpha: float, s: float, beta: float) -> Evaluation:
        """(alpha+T)^-(r+x) (beta+T)^-s."""
        A, B = alpha + self.ends, beta + self.ends
        n, w = r * self.customers + self.purchases, self.customers
        log_A, log_B, over_A, over_B = np.log(A), np.log(B), 1.0 / A, 1.0 / B
        value = -dot(n, log_A) - s * dot(w, log_B)
        gradient = -np.array([dot(w, log_A), dot(n, over_A), dot(w, log_B), s * dot(w, over_B)])
        hessian = _blocks_of(
            (0.0, -dot(w, over_A), dot(n, over_A**2)), (0.0, -dot(w, over_B), s * dot(w, over_B**2))
        )
        return value, gradient, hessian

    def _of_leaving(self, r: float, alpha: float, s: float, beta: float) -> Evaluation:
        """softplus(u), u the log-odds of having left between t_x and T."""
        n, t_x, T, w = r + self.x, self.t_x, self.T, self.weights
        total: Evaluation = 0.0, np.zeros(4), np.zeros((4, 4))
        for block in dropout.blocks(n, s, alpha + t_x, beta + t_x, T - t_x):
            at = block.rows
            part = _leaving(block, n[at], alpha + T[at], s, beta + T[at], T[at] - t_x[at], w[at])
            total = _add(total, part)
        return total


def _add(one: Evaluation, other: Evaluation) -> Evaluation:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2]


def _leaving(
    block: dropout.Block, n: Floats, A: Floats, s: float, B: Floats, span: Floats, w: Floats
) -> Evaluation:
    """Of one block of rows; A and B are alpha + T and beta + T.

    With q the nodes' shares of the integral and g their gradients, grad u = E_q[g] and
    Hess u = Cov_q(g) + E_q[Hess].
    """
    log_A, log_B = -np.log1p(-span / A), -np.log1p(-span / B)
    within = block.part.sum(axis=0)
    u = n * log_A + s * log_B + np.log(within)
    left = expit(u)
    once = w * left
    back = block.time - span  # from T to the node, negative
    over_A, over_B = 1.0 / (A + back), 1.0 / (B + back)
    before_A, before_B = 1.0 / A - over_A, 1.0 / B - over_B
    slopes = np.stack([
        log_A - block.of_A,
        n * before_A,
        1.0 / s + log_B - block.of_B,
        s * before_B - over_B,
    ])  # fmt: skip
    share = block.part / within
    slope = np.einsum("ikr,kr->ir", slopes, share)
    mass = share * once
    flat = slopes.reshape(4, -1)
    hessian = (flat * mass.reshape(-1)) @ flat.T - (slope * (once * left)) @ slope.T
    bend_A, bend_B = n * (over_A**2 - A**-2), (s + 1.0) * over_B**2 - s * B**-2
    hessian += _blocks_of(
        (0.0, _over(mass, before_A), _over(mass, bend_A)),
        (-once.sum() / s**2, _over(mass, before_B), _over(mass, bend_B)),
    )
    return float(w @ np.logaddexp(0.0, u)), slope @ once, hessian


def _over(mass: Floats, values: Floats) -> float:
    return float(np.einsum("ik,ik", mass, values))


def _blocks_of(buying: tuple[float, float, float], leaving: tuple[float, float, float]) -> Floats:
    """Hessian of what does not mix (r, alpha) with (s, beta); each is (shape², both, time²)."""
    hessian = np.zeros((4, 4))
    for first, (shape, both, time) in ((0, buying), (2, leaving)):
        hessian[first : first + 2, first : first + 2] = [[shape, both], [both, time]]
    return hessian
