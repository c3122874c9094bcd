"""From a log of purchases to the histories the models see: x, t_x, T and m per customer.

A purchase day is a day, in one time zone, on which a customer bought and did not give everything
back. Amounts of one day add up. A refund (a negative amount) is no purchase day: it is taken off
the day of the order it names, or else off the customer's latest purchase day so far, then off the
one before it. A day brought to nothing by refunds is no purchase day any more; a day of free
purchases, worth nothing from the start, stays one.

    log = purchase_log(customers, days.local_days(instants, "Asia/Seoul"), amounts)
    histories = summarise(log, until="2026-03-01")
    fit = bgnbd.fit(histories.x, histories.t_x, histories.T)

The log is sorted once; any number of cut-offs are then read off it, each as it was known that day.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ltv.core.arrays import Floats, Ints, refuse
from ltv.core.days import Day, day_number
from ltv.core.refunds import Refunds, days_of_named_orders, net_of_refunds

# what a customer's number and a day must fit into together
KEYS = 2**62


@dataclass(frozen=True)
class Log:
    """Purchase days in order, one row per customer and day.

    ``customers`` (c,) are distinct and ascending; the rows of customer i are
    ``first[i]`` to ``first[i + 1]`` of ``days`` (n,), counted from 1970-01-01, and ``amounts`` (n,),
    bought that day before refunds. ``stray_refunds`` counts refunds left out because the log has
    no earlier purchase they could belong to.
    """

    customers: NDArray[Any]
    first: Ints
    days: Ints
    amounts: Floats
    refunds: Refunds
    stray_refunds: int

    @property
    def last_day(self) -> np.datetime64:
        """The last day anything was bought or given back.

        Raises:
            ValueError: nothing was.
        """
        if not len(self.days):
            raise ValueError("The log has no purchase.")
        return np.datetime64(int(max(self.days.max(), self.refunds.known.max(initial=0))), "D")


@dataclass(frozen=True)
class Summary:
    """Histories of the customers with a purchase day up to the cut-off, shape (n,) each.

    x: repeat purchase days; t_x, T: days from the first to the last purchase day and to the
    cut-off; m: mean amount of the repeat purchase days, 0 where there is none; first_day
    (datetime64[D]); revenue: all amounts less refunds, the first day's included.
    """

    customers: NDArray[Any]
    first_day: NDArray[np.datetime64]
    x: Floats
    t_x: Floats
    T: Floats
    m: Floats
    revenue: Floats


@dataclass(frozen=True)
class Split:
    """A summary at the end of calibration and what its customers then did, shape (n,) each.

    purchases: purchase days in the holdout; spend: their amounts less refunds; horizon: its days.
    """

    calibration: Summary
    purchases: Floats
    spend: Floats
    horizon: float


def purchase_log(
    customers: ArrayLike, days: ArrayLike, amounts: ArrayLike, orders: ArrayLike | None = None
) -> Log:
    """Arrange purchases and refunds, one entry (n,) each, in any order.

    customers: integers or non-empty strings. days: local days, as datetime64[D] or whole numbers
    counted from 1970-01-01; instants become days by ``local_days``. amounts: one currency, negative
    for a refund. orders: which order a purchase or refund belongs to, "" for none; a refund that
    names an order not bought by this customer by that day counts as naming none.

    Rows already in order of (customer, day) are not sorted again.

    Raises:
        ValueError: lengths differ, or an entry is missing or of the wrong kind; it is named.
    """
    day, amount = _days(days), _amounts(amounts)
    ids, names = _ids(customers, room=KEYS >> _day_bits(day))
    _same_length(customers=ids, days=day, amounts=amount)
    back = amount < 0
    if not back.any():
        log = _purchases(ids, day, amount)
    else:
        against = day[back]
        if orders is not None:
            _same_length(customers=ids, orders=(named := np.asarray(orders)))
            against = days_of_named_orders(named, ids, day, back)
        bought = _purchases(ids[~back], day[~back], amount[~back])
        log = _with_refunds(bought, ids[back], day[back], against, -amount[back])
    return log if names is None else replace(log, customers=names[log.customers])


def summarise(log: Log, until: Day | None = None) -> Summary:
    """The histories at the end of the day ``until`` (default: the last day of the log).

    Purchases and refunds after it are left out, as they were not known then. Customers whose
    every purchase was given back are left out too.
    """
    end = day_number(log.last_day if until is None else until)
    amounts, counted = _known(log, end)
    if counted is None:
        return _summary(log.customers, log.first, log.days, amounts, end)
    per_customer = _sums(counted, log.first)
    buyers = per_customer > 0
    first = np.append(0, np.cumsum(per_customer[buyers]))
    return _summary(log.customers[buyers], first, log.days[counted], amounts[counted], end)


def split(log: Log, end_of_calibration: Day, until: Day | None = None) -> Split:
    """The summary at ``end_of_calibration`` and what those customers did from then to ``until``.

    Refunds made in the holdout correct the holdout's purchases, not the calibration's: those were
    as they seemed then.

    Raises:
        ValueError: ``until`` is before ``end_of_calibration``.
    """
    start, end = day_number(end_of_calibration), day_number(log.last_day if until is None else until)
    if end < start:
        raise ValueError("until is before end_of_calibration.")
    calibration = summarise(log, end_of_calibration)
    amounts, counted = _known(log, end)
    later = (log.days > start) if counted is None else (log.days > start) & counted
    mine = np.searchsorted(log.customers, calibration.customers)
    return Split(
        calibration=calibration,
        purchases=_sums(later, log.first)[mine].astype(np.float64),
        spend=_sums(np.where(later, amounts, 0.0), log.first)[mine],
        horizon=float(end - start),
    )


def _purchases(ids: Ints, days: Ints, amounts: Floats) -> Log:
    """A log without refunds; its customers are the ids."""
    if not len(ids):
        return Log(ids, np.zeros(1, np.int64), days, amounts, Refunds.none(), 0)
    width = _day_bits(days)
    keys = (ids - ids.min()) << width
    keys |= days - days.min()
    keys, amounts = _in_order(keys, amounts)
    begins = np.flatnonzero(np.append(True, keys[1:] != keys[:-1]))
    if len(begins) < len(keys):
        keys, amounts = keys[begins], np.add.reduceat(amounts, begins)
    codes = keys >> width
    keys &= (1 << width) - 1
    first = np.flatnonzero(np.append(True, codes[1:] != codes[:-1]))
    return Log(
        customers=codes[first] + ids.min(),
        first=np.append(first, len(codes)),
        days=keys + days.min(),
        amounts=amounts,
        refunds=Refunds.none(),
        stray_refunds=0,
    )


def _day_bits(days: Ints) -> int:
    return int(np.ptp(days)).bit_length() if len(days) else 0


def _in_order(keys: Ints, amounts: Floats) -> tuple[Ints, Floats]:
    """Both by ascending key; rows of one key stay in their order."""
    if np.all(keys[1:] >= keys[:-1]):
        return keys, amounts
    bits = len(keys).bit_length()
    if int(keys.max()) >> (62 - bits):
        order = np.argsort(keys, kind="stable")
        return keys[order], amounts[order]
    # sorting numbers is several times faster than sorting places: carry the place in the low bits
    keys <<= bits
    keys |= np.arange(len(keys))
    keys.sort()
    amounts = amounts[keys & ((1 << bits) - 1)]
    keys >>= bits
    return keys, amounts


def _with_refunds(log: Log, ids: Ints, known: Ints, against: Ints, amounts: Floats) -> Log:
    """The log and its refunds, each put to its customer's last row by the day ``against``."""
    if not len(log.customers):
        return replace(log, stray_refunds=len(ids))
    owner = np.minimum(np.searchsorted(log.customers, ids), len(log.customers) - 1)
    begin, end = log.first[owner], log.first[owner + 1]
    # the first row after that day, by bisection of all at once
    low, high = begin, end
    while np.any(open_ := low < high):
        middle = (low + high) // 2
        early = open_ & (log.days[np.minimum(middle, len(log.days) - 1)] <= against)
        low, high = np.where(early, middle + 1, low), np.where(open_ & ~early, middle, high)
    theirs = (log.customers[owner] == ids) & (low > begin)
    refunds = Refunds(low[theirs] - 1, known[theirs], amounts[theirs])
    return replace(log, refunds=refunds, stray_refunds=int(np.count_nonzero(~theirs)))


def _known(log: Log, end: int) -> tuple[Floats, NDArray[np.bool_] | None]:
    """Net amounts of all rows, and which are purchase days as known on day ``end``; None: all."""
    amounts, left = net_of_refunds(log.refunds.up_to(end), log.first, log.amounts)
    if not len(log.days) or int(log.days.max()) <= end:
        return amounts, left
    seen = log.days <= end
    return amounts, seen if left is None else seen & left


def _summary(customers: NDArray[Any], first: Ints, days: Ints, amounts: Floats, end: int) -> Summary:
    """From purchase days in order, at least one of each customer."""
    begins, ends = first[:-1], first[1:]
    x = ends - begins - 1
    opening, repeats = amounts[begins], _sums(amounts, first, skip=1)
    return Summary(
        customers=customers,
        first_day=days[begins].astype("datetime64[D]"),
        x=x.astype(np.float64),
        t_x=(days[ends - 1] - days[begins]).astype(np.float64),
        T=(end - days[begins]).astype(np.float64),
        m=repeats / np.maximum(x, 1),
        revenue=opening + repeats,
    )


def _sums(values: NDArray[Any], first: Ints, skip: int = 0) -> NDArray[Any]:
    """Sums over the rows of each customer, who has one at least, without the first ``skip`` rows."""
    if len(first) < 2:
        return np.zeros(0, values.dtype)
    if not skip:
        return np.add.reduceat(values, first[:-1], dtype=np.int64 if values.dtype == bool else None)
    # pairs of bounds: every other sum is that of the rows skipped
    bounds = np.column_stack([first[:-1] + 1, first[1:]]).reshape(-1)
    sums = np.add.reduceat(np.append(values, 0), bounds)[::2]
    return np.where(first[1:] > first[:-1] + 1, sums, 0)


def _ids(customers: ArrayLike, room: int) -> tuple[Ints, NDArray[Any] | None]:
    """A number for each customer, ascending as they do, and where these are not themselves the
    customers, the customers in that order. The numbers lie less than ``room`` apart."""
    given = np.atleast_1d(np.asarray(customers))
    if given.dtype.kind == "O":
        missing = np.fromiter((not isinstance(name, str) for name in given), bool, len(given))
        refuse("customers", given, missing, "is neither a string nor an integer")
        given = given.astype(str)
    if given.dtype.kind == "U":
        refuse("customers", given, given == "", "is empty")
    elif given.dtype.kind not in "iu" and len(given):
        raise ValueError("customers must be integers or strings.")
    elif not len(given) or (given.max() < KEYS and int(given.max()) - int(given.min()) < room):
        return given.astype(np.int64, copy=False), None
    names, ids = np.unique(given, return_inverse=True)
    return ids.reshape(-1), names


def _days(days: ArrayLike) -> Ints:
    given = np.atleast_1d(np.asarray(days))
    if given.dtype.kind == "M":
        if given.dtype != np.dtype("datetime64[D]"):
            raise ValueError("days must be datetime64[D]: local_days turns instants into days.")
        refuse("days", given, np.isnat(given), "is missing")
    elif given.dtype.kind not in "iu" and len(given):
        raise ValueError("days must be datetime64[D] or whole numbers.")
    return given.astype(np.int64, copy=False)


def _amounts(amounts: ArrayLike) -> Floats:
    try:
        given = np.atleast_1d(np.asarray(amounts, dtype=np.float64))
    except (TypeError, ValueError) as error:
        raise ValueError("amounts must be numbers.") from error
    refuse("amounts", given, ~np.isfinite(given), "is not a finite number")
    return given


def _same_length(**arrays: NDArray[Any]) -> None:
    if len({array.shape for array in arrays.values()}) > 1:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise ValueError(f"Each entry is one row, but the shapes differ: {shapes}.")
