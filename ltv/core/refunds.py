"""Refunds, set against the purchases they belong to.

Rows are purchase days in the order of (customer, day); the rows of customer i are ``first[i]`` to
``first[i + 1]``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltv.core.arrays import Floats, Ints

# what sums of decimal fractions leave behind, as a share of the day's and of all earlier purchases
ROUNDING, ROUNDING_BEFORE = 1e-9, 1e-12


@dataclass(frozen=True)
class Refunds:
    """Refunds, shape (k,) each: amounts > 0, the purchase day (row) to take them off first, and
    the day they were made, before which nobody knew of them (days since 1970-01-01)."""

    row: Ints
    known: Ints
    amount: Floats

    @classmethod
    def none(cls) -> Refunds:
        return cls(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))

    def up_to(self, day: int) -> Refunds:
        seen = self.known <= day
        return Refunds(self.row[seen], self.known[seen], self.amount[seen])


def net_of_refunds(refunds: Refunds, first: Ints, bought: Floats) -> tuple[Floats, NDArray[np.bool_] | None]:
    """What is left of each purchase day, shape (n,), and which days are left at all (None: all).

    A refund is taken off its row, what exceeds it off the customer's row before, and so on; what
    exceeds everything bought is lost. A day of free purchases is left: nothing was given back.
    """
    if not len(refunds.row):
        return bought, None
    back = np.bincount(refunds.row, weights=refunds.amount, minlength=len(bought)).astype(np.float64)
    owner = np.searchsorted(first, refunds.row, side="right") - 1
    touched = np.unique(owner)
    rows, place, length = _rows_of(first, touched)
    taken = _taken(bought[rows], back[rows], place, length)
    net, left = bought.copy(), np.ones(len(bought), dtype=bool)
    net[rows] -= taken
    left[rows] = (net[rows] > 0) | (taken == 0)
    return net, left


def _rows_of(first: Ints, owners: Ints) -> tuple[Ints, Ints, Ints]:
    """The rows of some customers, the place of each among its customer's and how many those are."""
    counts = first[owners + 1] - first[owners]
    begins = np.cumsum(counts) - counts
    place = np.arange(counts.sum()) - np.repeat(begins, counts)
    return np.repeat(first[owners], counts) + place, place, np.repeat(counts, counts)


def _taken(bought: Floats, back: Floats, place: Ints, length: Ints) -> Floats:
    """What refunds take off each row: all of it where only rounding would be left.

    Purchases are a pile that refunds take from the top: with ``height`` the pile after each row,
    the part of a row that is left is what the pile never sinks below again.
    """
    running = _running(np.add, bought - back, place)
    height = running - np.minimum(_running(np.minimum, running, place), 0.0)
    before = np.where(place > 0, np.roll(height, 1), 0.0)
    lowest = _running(np.minimum, height[::-1], (length - 1 - place)[::-1])[::-1]
    left = np.clip(lowest - before, 0.0, bought)
    rounding = ROUNDING * bought + ROUNDING_BEFORE * before
    taken = np.where(left <= rounding, bought, bought - left)
    return np.where(taken <= rounding, 0.0, taken)


def _running(combine: Callable[..., Any], values: Floats, place: Ints) -> Floats:
    """Running sums or minima within each customer: log2 of the longest history many passes."""
    result, step = values.copy(), 1
    rows = np.flatnonzero(place >= step)
    while len(rows):
        result[rows] = combine(result[rows], result[rows - step])
        step *= 2
        rows = rows[place[rows] >= step]
    return result


def days_of_named_orders(orders: NDArray[Any], ids: Ints, days: Ints, back: NDArray[np.bool_]) -> Ints:
    """The day to take each refund off: that of the order it names, or else its own, shape (k,).

    orders, ids and days have all rows, ``back`` says which of them are the k refunds. An order
    counts where the same customer bought it by the day of the refund.
    """
    refunds = np.flatnonzero(back)
    against = days[refunds]
    named = orders[refunds] != "" if orders.dtype.kind == "U" else np.ones(len(refunds), bool)
    owners, names = np.unique(ids[refunds]), np.unique(orders[refunds][named])
    bought = np.flatnonzero(~back & np.isin(orders, names) & np.isin(ids, owners))
    if not len(bought):
        return against

    def key(rows: Ints) -> Ints:
        return np.searchsorted(owners, ids[rows]) * len(names) + np.searchsorted(names, orders[rows])

    order = np.lexsort((days[bought], key(bought)))
    keys, earliest = np.unique(key(bought)[order], return_index=True)
    wanted = key(refunds)
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    day = days[bought][order][earliest][place]
    return np.where(named & (keys[place] == wanted) & (day <= against), day, against)
