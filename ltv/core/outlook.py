"""What lies ahead of customers known to be alive, the same for every transaction model.

All that depends on the future is a function of the posterior at T, and so of (x, T) alone; t_x
enters by P(alive). ``of`` gives the posterior with its laws behind one interface.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ltv.core import beta_geometric, future, pareto_counts, pareto_future, paretonbd
from ltv.core.arrays import Floats, Ints
from ltv.core.quantiles import Tail, of_counts

# probability of still more purchases at which a sum over counts ends
LEFT_OUT = 1e-8
# purchases counted one by one in such a sum; beyond, in blocks of a 256th of the count
COUNTED = 256.0

# purchases after which the quantiles of whole numbers are searched for one by one
WALK = 192.0

# y, which of the rows before may still buy so often, and their P(Y = y)
Count = tuple[float, NDArray[np.bool_], Floats]


class Outlook(Protocol):
    """The coming purchases Y of living customers, shape (n,)."""

    def part(self, rows: NDArray[Any]) -> Outlook:
        """Some of the customers."""

    def expected(self, t: float | Floats) -> Floats:
        """E[Y] within t."""

    def discounted(self, delta: float, horizon: float) -> Floats:
        """Expected purchases within the horizon, each worth e^(-delta t) after t."""

    def buys(self, t: float | Floats) -> Floats:
        """P(Y > 0) within t."""

    def silent(self, t: float | Floats) -> Floats:
        """P(Y = 0) within t, of full precision where it is small."""

    def exceeds(self, t: float | Floats, y: float | Floats) -> Floats:
        """P(Y > y) within t, for y = 0, 1, 2, ...; t and y are broadcast."""

    def tails(self, t: float, edges: Floats) -> Floats:
        """P(Y > edge) within t at rising whole edges (k,), of customers (n, 1); gaps are small for their edges."""

    def counts(self, t: float, left_out: float = LEFT_OUT) -> Iterator[Count]:
        """The law of Y within t, for y = 1, 2, ... until no more than ``left_out`` is left of any."""

    def moments(self, t: float) -> tuple[Floats, Floats]:
        """E[Y] and E[Y^2] within t."""


def of(params: Any, x: Floats, T: Floats) -> Outlook:
    """The outlook of customers alive at T (n,) after x (n,) repeat purchases."""
    if isinstance(params, paretonbd.ParetoNbd):
        return ParetoOutlook(paretonbd.living(params, x, T))
    return GeometricOutlook(beta_geometric.living(params, x, T))


def count_quantiles(ahead: Outlook, t: float, index: Ints, alive: Floats, levels: Sequence[float]) -> Floats:
    """Smallest y with 1 - alive P(Y > y) >= q for each level q, shape (len(levels), n).

    ``index`` (n,) says which row of the outlook a customer is, ``alive`` (n,) each customer's own
    probability. The first purchases are walked by ``counts``, and only as far as the highest level
    needs; the few heavy customers that remain are searched one by one.
    """
    found, tail = np.zeros((len(levels), len(index))), ahead.buys(t)
    used = np.arange(len(tail))
    rows = [np.flatnonzero(alive > 1.0 - q) for q in levels]

    def narrow(y: float) -> None:
        for at, q in enumerate(levels):
            rows[at] = rows[at][alive[rows[at]] * tail[index[rows[at]]] > 1.0 - q]
            found[at, rows[at]] = y + 1.0

    narrow(0.0)
    for y, going, chance in ahead.counts(t, 1.0 - max(levels)):
        used = used[going]
        tail[used] -= chance
        narrow(y)
        if y >= WALK or not any(map(len, rows)):
            break
    for at, q in enumerate(levels):
        found[at, rows[at]] = of_counts(_tail(ahead, t), index[rows[at]], alive[rows[at]], (q,))
    return found


def _tail(ahead: Outlook, t: float) -> Tail:
    return lambda rows, y: ahead.part(rows).exceeds(t, y)


@dataclass(frozen=True)
class GeometricOutlook:
    """Of BG/NBD and MBG/NBD."""

    living: future.Living

    def part(self, rows: NDArray[Any]) -> GeometricOutlook:
        return GeometricOutlook(self.living.part(rows))

    def expected(self, t: float | Floats) -> Floats:
        return future.expected(self.living, t)

    def discounted(self, delta: float, horizon: float) -> Floats:
        return future.discounted(self.living, delta, horizon)

    def buys(self, t: float | Floats) -> Floats:
        return future.buys(self.living, t)

    def silent(self, t: float | Floats) -> Floats:
        return future.silent(self.living, t)

    def exceeds(self, t: float | Floats, y: float | Floats) -> Floats:
        return future.exceeds(self.living, t, y)

    def tails(self, t: float, edges: Floats) -> Floats:
        return future.tails(self.living, t, edges)

    def counts(self, t: float, left_out: float = LEFT_OUT) -> Iterator[Count]:
        """By the recurrence of the negative binomial, in logarithms because it starts near 0."""
        a, shape, b, z = self.living.a, self.living.shape, self.living.b, self.living.passed(t)
        log_chance = -shape * np.log1p(t / self.living.rate)
        wanting, staying, rows = -np.expm1(log_chance), np.ones(len(shape)), np.arange(len(shape))
        above, y = wanting, 1.0
        while y <= COUNTED and np.any(going := above > left_out):
            rows = rows[going]
            shape, b, z, log_chance, wanting, staying, above = (
                column[going] for column in (shape, b, z, log_chance, wanting, staying, above)
            )
            log_chance = log_chance + np.log(z * (shape + y - 1.0) / y)
            wanting = np.maximum(wanting - np.exp(log_chance), 0.0)
            staying = staying * (b + y - 1.0) / (a + b + y - 1.0)
            left = staying * wanting
            yield y, going, above - left
            above, y = left, y + 1.0
        yield from _blocks(self.part(rows), t, y - 1.0, above, left_out)

    def moments(self, t: float) -> tuple[Floats, Floats]:
        first, second = np.zeros_like(self.living.shape), np.zeros_like(self.living.shape)
        rows = np.arange(len(first))
        for y, going, chance in self.counts(t):
            rows = rows[going]
            first[rows] += y * chance
            second[rows] += y * y * chance
        return first, second


@dataclass(frozen=True)
class ParetoOutlook:
    """Of Pareto/NBD."""

    living: pareto_future.Living

    def part(self, rows: NDArray[Any]) -> ParetoOutlook:
        known = self.living
        return ParetoOutlook(
            pareto_future.Living(known.shape[rows], known.rate[rows], known.s, known.pace[rows])
        )

    def expected(self, t: float | Floats) -> Floats:
        return pareto_future.expected(self.living, t)

    def discounted(self, delta: float, horizon: float) -> Floats:
        return pareto_future.discounted(self.living, delta, horizon)

    def buys(self, t: float | Floats) -> Floats:
        return 1.0 - self.silent(t)

    def silent(self, t: float | Floats) -> Floats:
        return pareto_future.silent(self.living, t)

    def exceeds(self, t: float | Floats, y: float | Floats) -> Floats:
        known = self.living
        n, A, B, t, y = np.broadcast_arrays(known.shape, known.rate, known.pace, t, y)
        columns = (column.ravel().astype(np.float64) for column in (A, B, t, y))
        return pareto_counts.exceeds(n.ravel(), known.s, *columns).reshape(n.shape)

    def tails(self, t: float, edges: Floats) -> Floats:
        return self.exceeds(t, edges)

    def counts(self, t: float, left_out: float = LEFT_OUT) -> Iterator[Count]:
        yield from _blocks(self, t, 0.0, self.buys(t), left_out)

    def moments(self, t: float) -> tuple[Floats, Floats]:
        """Y is Poisson with the rate of buying times w, the time to leaving cut at t.

        E[w^2] = 2 pace^2 * integral over 1 < U < 1 + t/pace of (U - 1) U^-s.
        """
        known, first = self.living, self.expected(t)
        grown = np.log1p(t / known.pace)
        squared = 2.0 * known.pace**2 * (_power(2.0 - known.s, grown) - _power(1.0 - known.s, grown))
        return first, first + known.shape * (known.shape + 1.0) / known.rate**2 * squared


def _blocks(ahead: Outlook, t: float, y: float, above: Floats, left_out: float) -> Iterator[Count]:
    """The law of Y beyond y, given P(Y > y), in blocks of counts with their middles for y."""
    while np.any(going := above > left_out):
        ahead, above = ahead.part(going), above[going]
        after = y + max(np.floor(y / COUNTED), 1.0)
        left = ahead.exceeds(t, after)
        yield (y + 1.0 + after) / 2, going, above - left
        above, y = left, after


def _power(e: float, log: Floats) -> Floats:
    """(U^e - 1) / e, ln U at e = 0."""
    return np.expm1(e * log) / e if e else log
