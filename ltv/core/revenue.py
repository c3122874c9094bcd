"""The exact law of what a customer will spend in a horizon, and its quantiles for all at once.

With y purchases, spend / (gamma + x m) ~ BetaPrime(p y, q + p x); mixing over the exact law of y,

    P(S > s) = P(alive) G(s / (gamma + x m)),   G(w) = sum over y of P(Y = y) I(1/(1+w); q + p x, p y)

with I the regularised incomplete beta function. ``exceeds`` sums it. For quantiles G is tabulated
per x at fixed log-odds of z, the horizon's share of all time, and inverted by interpolation: counts
above ``SINGLE`` are gathered in blocks of 8 %, x above ``EXACT_X`` in classes of 3 %. For 12,000 random
customers, x up to 300 and p up to 30, the level reached was within .004 of the one asked for in 99 of
100, within .014 for all, typically within .0002.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import CubicSpline
from scipy.special import betainc, betaincinv, betaln, logit

from ltv.core import arrays, outlook
from ltv.core.arrays import Floats, Ints, Pairs
from ltv.core.gamma_gamma import GammaGamma
from ltv.core.outlook import Outlook
from ltv.core.paretonbd import ParetoNbd

SINGLE = 16
BLOCK = 1.08
MOST = 1_000_000
EXACT_X = 40
CLASS = 1.03
# of the tables: between nodes in the log-odds of z; how many are drawn together, every other by a spline
STEP = 0.1
BAND = 36
SPLINE = CubicSpline(np.arange(0, BAND + 1, 2), np.eye(BAND // 2 + 1))(np.arange(BAND + 1))
# between points of the density of ln w, in standard deviations of the narrowest
FINE = 0.5
# points of the inverse in the log-odds of a tail
LEVELS = 56
# log-odds of the largest tail tabulated; beyond it ln w falls as that of a power of w
HIGHEST = 6.0
# bands remembered, of 17 kB; a night of four horizons draws some 200
REMEMBERED = 1_024


def exceeds(ahead: Outlook, gg: GammaGamma, x: Floats, w: Floats, horizon: float) -> Floats:
    """G(w): P(spend > w (gamma + x m)) of customers known to be alive, shape (n,).

    The sum over all counts, to an absolute 1e-8; all arguments but ``gg`` and ``horizon`` have one
    entry per customer. With w = 0 the chance to buy at all.
    """
    total = np.where(w > 0, 0.0, ahead.buys(horizon))
    rows = np.flatnonzero(w > 0)
    share, shape = 1.0 / (1.0 + w[rows]), gg.q + gg.p * x[rows]
    for y, going, chance in ahead.part(rows).counts(horizon):
        rows, share, shape = rows[going], share[going], shape[going]
        total[rows] += chance * betainc(shape, gg.p * y, share)
    return np.minimum(total, 1.0)


def quantiles(
    buying: Any,
    gg: GammaGamma,
    distinct: Pairs,
    spend: Floats,
    alive: Floats,
    horizon: float,
    levels: Sequence[ArrayLike],
) -> tuple[Floats, ...]:
    """Quantiles of the spend in (T, T + horizon], one array (n,) per level, in money.

    ``buying`` are the parameters of any transaction model; ``spend`` (n,) is E(M) under ``gg``,
    which says all of m (gamma + x m = E(M) (p x + q - 1)/p), ``alive`` (n,) the probability to be
    alive. A level is a number or one per customer. Whoever else is asked for changes nobody's, but
    that the lowest tail of all says how far down the tables go.
    """
    ahead = outlook.of(buying, distinct.x, distinct.T)
    buys = alive * distinct.spread(ahead.buys(horizon))
    tails = [np.minimum((1.0 - np.asarray(q)) / np.maximum(buys, 1e-300), 1.0) for q in levels]
    if not any(np.any(tail < 1.0) for tail in tails):
        return tuple(np.zeros(len(buys)) for _ in levels)
    lowest = min(float(np.min(1.0 - np.asarray(q))) for q in levels)
    table = _Table.of(buying, gg, distinct, horizon, lowest)
    return tuple(spend * table.invert(distinct.index, tail) for tail in tails)


@dataclass(frozen=True)
class _Table:
    """ln of spend in units of E(M), per band of nodes of a class of x, and log-odds of a tail.

    ``values`` is (bands * (BAND + 1), LEVELS); ``row`` and ``part`` say for each distinct pair where
    it lies among the nodes; ``lowest`` and ``step`` are of the grid of log-odds.
    """

    values: Floats
    row: Ints
    part: Floats
    lowest: float
    step: float

    @classmethod
    def of(cls, buying: Any, gg: GammaGamma, distinct: Pairs, horizon: float, lowest_tail: float) -> _Table:
        labels, centres = _classes(distinct.x)
        left, part, unit = _places(buying, distinct, centres, horizon)
        bands = left // BAND
        first, width = int(bands.min()), int(np.ptp(bands)) + 1
        keys, number = arrays.distinct(labels * width + bands - first, (int(labels.max()) + 1) * width)
        one = np.empty(len(keys), dtype=np.int64)
        one[number] = np.arange(len(number))
        grid = _grid(lowest_tail)
        values = [
            _drawn_up(buying, gg, float(centres[at]), int(bands[at]), unit, grid) for at in one.tolist()
        ]
        row = number * (BAND + 1) + left - bands * BAND
        return cls(np.vstack(values), row, part, grid[0], (grid[1] - grid[0]) / (LEVELS - 1))

    def invert(self, index: Ints, tail: Floats) -> Floats:
        """Spend in units of E(M) exceeded with probability ``tail`` by who buys; 0 where tail >= 1."""
        found = np.zeros(len(tail))
        wanted = np.flatnonzero(tail < 1.0)
        tail, index = tail[wanted], index[wanted]
        place = (np.log(tail) - np.log1p(-tail) - self.lowest) / self.step
        level = np.clip(place.astype(np.int64), 0, LEVELS - 2)
        share, part = place - level, self.part[index]
        first = self.row[index] * LEVELS + level
        flat = self.values.reshape(-1)
        here = flat[first] + share * (flat[first + 1] - flat[first])
        first += LEVELS
        there = flat[first] + share * (flat[first + 1] - flat[first])
        found[wanted] = np.exp(here + part * (there - here))
        return found


def _grid(lowest_tail: float) -> tuple[float, float]:
    """The ends of the log-odds of a tail tabulated.

    Down to a tenth, halved as often as it takes: other levels hardly ever take tables of their own.
    """
    halved = max(np.ceil(np.log2(0.1 / lowest_tail) - 1e-9), 0.0)
    return float(logit(0.095 * 0.5**halved)), HIGHEST


def _classes(x: Floats) -> tuple[Ints, Floats]:
    """The number of the class of equal or nearly equal x, and the x that stands for it, (n,) each."""
    steps = np.floor(np.log(np.maximum(x, EXACT_X) / EXACT_X) / np.log(CLASS))
    exact = x <= EXACT_X
    labels = np.where(exact, x, EXACT_X + 1 + steps).astype(np.int64)
    return labels, np.where(exact, x, EXACT_X * CLASS ** (steps + 0.5))


def _places(buying: Any, distinct: Pairs, centre: Floats, horizon: float) -> tuple[Ints, Floats, float]:
    """The node left of each pair and the part of the way to the next, (n,), and what horizon nodes have.

    Node k is at T = alpha (e^(k STEP) - 1). The geometric models know time by z alone: their nodes
    all have a horizon of alpha, and T is moved to keep z. Within a class it is moved to keep the
    expected count of each member, not the class's own.
    """
    own = isinstance(buying, ParetoNbd)
    unit = horizon if own else buying.alpha
    slower = (buying.r + centre) / (buying.r + distinct.x)
    place = np.log((1.0 + distinct.T / buying.alpha) * (unit / horizon) * slower) / STEP
    # where only z counts any T > -alpha will do; else T = 0 is the end
    left = np.maximum(np.floor(place), 0.0 if own else -np.inf)
    return left.astype(np.int64), place - left, unit


@lru_cache(maxsize=REMEMBERED)
def _drawn_up(
    buying: Any, gg: GammaGamma, x: float, band: int, horizon: float, ends: tuple[float, float]
) -> Floats:
    """A table's values for all nodes of a band, both ends among them, (BAND + 1, LEVELS).

    Always whole bands, so that nobody's figures depend on who asked first.
    """
    T = buying.alpha * np.expm1(STEP * (band * BAND + np.arange(0, BAND + 1, 2)))
    ahead = outlook.of(buying, np.array([[x]]), T[:, None])
    return SPLINE @ _inverse(ahead, gg, x, horizon, np.linspace(*ends, LEVELS))


def _inverse(ahead: Outlook, gg: GammaGamma, x: float, horizon: float, grid: Floats) -> Floats:
    """ln of spend / E(M) at the log-odds ``grid`` of P(S > s | Y > 0), shape (nodes, grid)."""
    log_w, density, tails = _tails(gg, x, _weights(ahead, horizon, 0.01 / (1.0 + np.exp(-grid[0]))))
    tails = np.clip(tails, 1e-12, 1.0 - 1e-12)
    # gamma + x m in units of E(M)
    scale = np.log((gg.p * x + gg.q - 1.0) / gg.p)
    return scale + _read_off(-grid, log_w, np.log((1.0 - tails) / tails), density / (tails * (1.0 - tails)))


def _read_off(wanted: Floats, at: Floats, values: Floats, slopes: Floats) -> Floats:
    """Where rising functions reach what is wanted, shape (rows, wanted), by a cubic between points.

    Their ``values`` and ``slopes``, (rows, points), are known at equally distant points.
    """
    step, points, rows = at[1] - at[0], np.arange(float(len(at))), np.arange(len(values))[:, None]
    place = np.vstack([np.interp(wanted, row, points) for row in values])
    left = np.minimum(place.astype(np.int64), len(at) - 2)
    part, rise = place - left, values[rows, left + 1] - values[rows, left]
    # up to three times as steep as the chord it still rises
    here, there = (
        np.clip(rise / np.maximum(slopes[rows, end], 1e-30), 0.0, 3.0 * step) - step
        for end in (left, left + 1)
    )
    return at[left] + part * (step + (1.0 - part) * ((1.0 - part) * here - part * there))


def _tails(gg: GammaGamma, x: float, weights: Floats) -> tuple[Floats, Floats, Floats]:
    """ln w (points,), its density and P(W > w), (nodes, points), by the weights (nodes, blocks) of blocks of counts.

    A block is its middle count with the variance of ln y within the block added to that of ln w.
    The density of ln w is integrated from above, exactly for cubics.
    """
    y, within = MIDDLE[: weights.shape[1], None], WITHIN[: weights.shape[1], None]
    b, spread = gg.q + gg.p * x, 1.0 + gg.p * within / y
    a = gg.p * y / spread
    # beyond the ends lies less than the tails asked for
    low, high = logit(betaincinv(gg.p * y[[0, -1], 0], b, [0.2 / (1.0 + np.exp(HIGHEST)), 0.995]))
    narrowest = np.sqrt(min(1.0 / gg.p, 1.0 / (1.0 + x)) + 1.0 / b)
    log_w, h = np.linspace(low, high, 8 + int((high - low) / (FINE * narrowest)), retstep=True)
    odds = spread * np.exp(-log_w)
    top = weights @ betainc(b, a, odds[:, -2:-1] / (1.0 + odds[:, -2:-1]))
    odds += 1.0
    log = np.log(odds, out=odds)
    log *= -(a + b)
    log += b * np.log(spread) - betaln(a, b)
    log -= b * log_w
    # what is next to nothing is cut off: numbers that small are slow
    density = weights @ np.exp(np.maximum(log, -50.0, out=log), out=log)
    inner, outer = density[:, 1:-2] + density[:, 2:-1], density[:, :-3] + density[:, 3:]
    pieces = np.hstack([(13.0 * inner - outer) * (h / 24.0), top])
    return log_w[1:-1], density[:, 1:-1], np.cumsum(pieces[:, ::-1], axis=1)[:, ::-1]


def _blocks() -> tuple[Floats, Floats, Floats]:
    """Edges of blocks of counts, their middles, and the variance of equally likely counts within.

    Block i holds edges[i] < y <= edges[i+1].
    """
    edges = [float(y) for y in range(SINGLE + 1)]
    while edges[-1] < MOST:
        edges.append(float(np.ceil(edges[-1] * BLOCK)))
    width = np.diff(edges)
    return np.array(edges), edges[:-1] + (width + 1.0) / 2, (width**2 - 1.0) / 12.0


def _sharpening() -> Floats:
    """What the mass of blocks is multiplied with to have the variance of the counts in them, (blocks, blocks).

    Gathered in middles and spread out again, counts vary more than by themselves, by twice the
    variance within. So much is taken from between a block and its neighbours.
    """
    gap = np.diff(MIDDLE)
    taken = 2.0 * WITHIN[1:-1] / (gap[:-1] + gap[1:])
    below, above = np.append(taken / gap[:-1], 0.0), np.append(0.0, taken / gap[1:])
    here = 1.0 + np.append(0.0, below) + np.append(above, 0.0)
    return np.diag(here) - np.diag(below, -1) - np.diag(above, 1)


EDGES, MIDDLE, WITHIN = _blocks()
SHARPENING = _sharpening()


def _weights(ahead: Outlook, horizon: float, tail: float) -> Floats:
    """P(Y in block | Y > 0), (nodes, blocks), up to where ``tail`` is left at the first node, of the most counts."""
    first, coarse = ahead.part(np.arange(1)), EDGES[:: SINGLE // 2]
    above = first.exceeds(horizon, coarse)[0]
    last = int(np.argmax(above <= tail * above[0])) * (SINGLE // 2) or len(EDGES) - 1
    above = ahead.tails(horizon, EDGES[: last + 1])
    mass = (above[:, :-1] - above[:, 1:]) / (above[:, :1] - above[:, -1:])
    return mass @ SHARPENING[:last, :last]
