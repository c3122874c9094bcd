"""Which day an instant falls on, where the shop is."""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ltv.core.arrays import Ints, refuse

# a day as numpy reads it; a number counts from 1970-01-01
Day = np.datetime64 | date | str | int

SECONDS = 86_400
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# what a local time within the years 1 to 9999 can be asked of, whatever the offset
EARLIEST, LATEST = -62_135_510_400, 253_402_214_400


def day_number(day: Day) -> int:
    """Days since 1970-01-01.

    Raises:
        ValueError: not a day.
    """
    found = np.datetime64(day, "D")  # type: ignore[call-overload]
    if np.isnat(found):
        raise ValueError(f"{day!r} is not a day.")
    return int(found.astype(np.int64))


def local_days(instants: ArrayLike, time_zone: str) -> NDArray[np.datetime64]:
    """The day each instant falls on in a time zone, datetime64[D], shape (n,).

    instants: UTC, as datetime64 or as whole seconds since 1970. time_zone: a name such as
    "Asia/Seoul", with all its changes of summer time in the past.

    Raises:
        ValueError: no such time zone, or an instant is missing or outside the years 1 to 9999.
    """
    try:
        zone = ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"There is no time zone {time_zone!r}.") from error
    seconds = _seconds(instants)
    if not len(seconds):
        return np.empty(0, "datetime64[D]")
    changes, offsets = _offsets(zone, int(seconds.min()), int(seconds.max()))
    local = seconds + offsets[np.searchsorted(changes, seconds, side="right")]
    return np.floor_divide(local, SECONDS).astype("datetime64[D]")


def _seconds(instants: ArrayLike) -> Ints:
    given = np.atleast_1d(np.asarray(instants))
    if given.dtype.kind == "M":
        refuse("instants", given, np.isnat(given), "is missing")
        given = given.astype("datetime64[s]").astype(np.int64)
    elif given.dtype.kind not in "iu" and len(given):
        raise ValueError("instants must be datetime64 or whole seconds since 1970.")
    outside = (given < EARLIEST) | (given > LATEST)
    refuse("instants", given, outside, "is outside the years 1 to 9999")
    return given.astype(np.int64)


def _offsets(zone: ZoneInfo, low: int, high: int) -> tuple[Ints, Ints]:
    """Instants in (low, high] from which another offset holds, and the offsets before and after.

    The zone is asked once a day; where the answer changed, the second is bisected.
    """
    probes = [*range(low, high, SECONDS), high]
    offsets = [_offset(zone, probe) for probe in probes]
    changes, kept = [], offsets[:1]
    for before, after, old, new in zip(probes, probes[1:], offsets, offsets[1:], strict=False):
        if new != old:
            holds = partial(_holds, zone, new)
            changes.append(before + bisect_left(range(before, after), True, key=holds))
            kept.append(new)
    return np.array(changes, dtype=np.int64), np.array(kept, dtype=np.int64)


def _offset(zone: ZoneInfo, instant: int) -> int:
    """Seconds that local clocks are ahead of UTC."""
    ahead = (EPOCH + timedelta(seconds=instant)).astimezone(zone).utcoffset()
    return int(ahead.total_seconds()) if ahead else 0


def _holds(zone: ZoneInfo, offset: int, instant: int) -> bool:
    return _offset(zone, instant) == offset
