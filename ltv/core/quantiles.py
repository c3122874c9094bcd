"""Predictive quantiles of whole numbers, from the tail of their law given that a customer lives."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ltv.core.arrays import Floats, Ints

# P(Y > y) of the posteriors at ``rows``, for y one number or one per row
Tail = Callable[[Ints, Floats], Floats]

# purchases walked one by one before the rest is bisected
WALK = 48


def of_counts(tail: Tail, index: Ints, alive: Floats, levels: Sequence[float]) -> Floats:
    """Smallest y with 1 - alive P(Y > y) >= q for each level q, shape (len(levels), n).

    ``index`` (n,) says which of the distinct posteriors a customer has, ``alive`` (n,) is each
    customer's own probability. The first purchases are walked on the distinct posteriors, for all
    levels at once; the few heavy customers that remain are bisected.
    """
    found = np.zeros((len(levels), len(index)))
    open_rows = [np.flatnonzero(alive > 1.0 - q) for q in levels]
    for y in range(WALK):
        used = _used(open_rows, index)
        above = np.zeros(int(index.max(initial=-1)) + 1)
        above[used] = tail(used, np.full(len(used), float(y)))
        for at, q in enumerate(levels):
            rows = open_rows[at]
            open_rows[at] = rows = rows[alive[rows] * above[index[rows]] > 1.0 - q]
            found[at, rows] = y + 1
        if not any(map(len, open_rows)):
            return found
    for at, (rows, q) in enumerate(zip(open_rows, levels, strict=True)):
        found[at, rows] = _bisect(tail, index[rows], alive[rows], q)
    return found


def _used(open_rows: list[Ints], index: Ints) -> Ints:
    marked = np.zeros(int(index.max(initial=-1)) + 1, dtype=bool)
    for rows in open_rows:
        marked[index[rows]] = True
    return np.flatnonzero(marked)


def _bisect(tail: Tail, index: Ints, alive: Floats, q: float) -> Floats:
    low = np.full(len(index), float(WALK - 1))  # P(Y <= low) < q
    high = 2.0 * low
    while np.any(short := alive * tail(index, high) > 1.0 - q):
        low, high = np.where(short, high, low), np.where(short, 2.0 * high, high)
    while np.any(high - low > 1.0):
        middle = np.floor((low + high) / 2)
        short = alive * tail(index, middle) > 1.0 - q
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    return high
