"""Predictive quantiles of what a customer will spend in a horizon.

With y purchases, spend / (gamma + x m) ~ BetaPrime(p y, q + p x); mixing over the exact law of y,

    P(S > s) = P(alive) G(s / (gamma + x m)),    G depends on x and z = T-share of the horizon only.

So G is tabulated per x on a few z and inverted by interpolation: the exact law up to the grids.
Counts above ``SINGLE`` are gathered in blocks of 12 %, x above ``EXACT_X`` in classes of 3 %.
On simulated customers 80 % intervals cover .80 +- .01 (randomised at zero).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import betaincc, betaincinv, logit

from ltv.core import future
from ltv.core.arrays import Floats, Ints
from ltv.core.beta_geometric import BetaGeometric, living
from ltv.core.gamma_gamma import GammaGamma

SINGLE = 16
BLOCK = 1.12
EXACT_X = 40
CLASS = 1.03
NODES = 9
GRID = 72


def quantiles(
    bg: BetaGeometric,
    gg: GammaGamma,
    x: Floats,
    T: Floats,
    spend: Floats,
    alive: Floats,
    horizon: float,
    levels: tuple[float, ...],
) -> tuple[Floats, ...]:
    """Quantiles of the spend in (T, T + horizon], one array (n,) per level, in money.

    ``spend`` (n,) is E(M) under ``gg``, which says all of m (gamma + x m = E(M) (p x + q - 1)/p),
    ``alive`` (n,) the probability to be alive under ``bg``.
    """
    known = living(bg, x, T)
    buys = alive * future.buys(known, horizon)
    tails = [np.divide(1.0 - q, buys, out=np.ones_like(buys), where=buys > 0) for q in levels]
    found = tuple(np.zeros(len(x)) for _ in levels)
    wanted = np.flatnonzero(np.minimum.reduce(tails) < 1.0)
    for centre, rows in _classes(x, wanted):
        # keep the expected count of each member of a class, not the class's own
        odds = np.log(horizon / known.rate[rows] * known.shape[rows] / (bg.r + centre))
        table = _Table.of(bg, gg, centre, odds.min(), odds.max(), min(1.0 - q for q in levels))
        scale = spend[rows] * (gg.p * centre + gg.q - 1.0) / gg.p
        for tail, answer in zip(tails, found, strict=True):
            answer[rows] = scale * table.invert(odds, tail[rows])
    return found


def _classes(x: Floats, rows: Ints) -> Iterator[tuple[float, Ints]]:
    """(representative x, rows) of customers with equal or nearly equal x."""
    values = x[rows]
    steps = np.floor(np.log(np.maximum(values, EXACT_X) / EXACT_X) / np.log(CLASS))
    labels = np.where(values <= EXACT_X, values, EXACT_X + 1 + steps)
    order = np.argsort(labels, kind="stable")
    for part in np.split(order, np.flatnonzero(np.diff(labels[order])) + 1):
        if len(part):
            yield float(values[part].mean()), rows[part]


@dataclass(frozen=True)
class _Table:
    """Tails of spend / (gamma + x m) given a purchase, of one x, on nodes of log-odds of z.

    ``logits`` (nodes, grid) are logit P(W > w | Y > 0) at ``log_w`` (grid,), falling.
    """

    nodes: Floats
    log_w: Floats
    logits: Floats

    @classmethod
    def of(
        cls,
        bg: BetaGeometric,
        gg: GammaGamma,
        x: float,
        low: float,
        high: float,
        tail: float,
    ) -> _Table:
        nodes = np.linspace(low, high, NODES) if high - low > 1e-6 else np.array([low])
        known = living(bg, np.full(len(nodes), x), np.zeros(len(nodes)))
        time = known.rate * np.exp(nodes)
        edges, y = _blocks(known, time, 0.05 * tail)
        above = np.column_stack([future.exceeds(known, time, edge) for edge in edges])
        weights = (above[:, :-1] - above[:, 1:]) / (above[:, :1] - above[:, -1:])
        shape = gg.q + gg.p * x
        ends = betaincinv(gg.p * y[[0, -1]], shape, [1e-3, 0.995])
        lowest, highest = (float(end) for end in logit(ends))
        log_w = np.linspace(lowest, highest, GRID)
        share = 1.0 / (1.0 + np.exp(-log_w))
        tails = weights @ betaincc(gg.p * y[:, None], shape, share[None, :])
        return cls(nodes, log_w, logit(np.clip(tails, 1e-12, 1.0 - 1e-12)))

    def invert(self, odds: Floats, tail: Floats) -> Floats:
        """w with P(W > w | Y > 0) = tail, shape (n,); 0 where tail >= 1."""
        wanted = logit(np.clip(tail, 1e-12, 1.0 - 1e-12))
        if len(self.nodes) == 1:
            log_w = self._at(0, wanted)
        else:
            place = (odds - self.nodes[0]) / (self.nodes[1] - self.nodes[0])
            left = np.clip(place.astype(int), 0, len(self.nodes) - 2)
            log_w = np.empty(len(odds))
            for node in np.unique(left):
                rows = np.flatnonzero(left == node)
                part = place[rows] - node
                log_w[rows] = (1.0 - part) * self._at(node, wanted[rows])
                log_w[rows] += part * self._at(node + 1, wanted[rows])
        return np.where(tail < 1.0, np.exp(log_w), 0.0)

    def _at(self, node: int, wanted: Floats) -> Floats:
        return np.interp(-wanted, -self.logits[node], self.log_w)


def _blocks(known: future.Living, time: Floats, tail: float) -> tuple[Floats, Floats]:
    """Edges of blocks of counts up to where ``tail`` is left, and the count that stands for each.

    Block i holds edges[i] < y <= edges[i+1].
    """
    edges = [0.0]
    while np.any(future.exceeds(known, time, edges[-1]) > tail * future.buys(known, time)):
        last = edges[-1]
        edges.append(last + 1.0 if last < SINGLE else np.ceil(last * BLOCK))
    bounds = np.array(edges)
    return bounds, (bounds[:-1] + 1.0 + bounds[1:]) / 2
