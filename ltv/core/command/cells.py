"""The cells of a purchase log: days and amounts as shops write them, one style for a whole column.

The style is settled by a sample of the rows. Where two styles read the sample differently, as
02/03/2026 is a day in February or in March, a person has to say which.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from customers.core.mapping import DATE_FORMATS, NUMBER_STYLES, TIME, possible_dates, possible_numbers


class Style(Protocol):
    """Reads the cells of a column; ``what`` says what they should be, for messages."""

    what: str

    def __call__(self, text: str) -> float: ...


EPOCH = date(1970, 1, 1).toordinal()
SYMBOLS = str.maketrans("", "", "$€£¥₩ ")
_TIME = re.compile(TIME)
_OFFSET = re.compile(r"(Z|[+-][0-9]{2}:?[0-9]{2})$")


class Unclear(ValueError):
    """No style reads the sample, or several do and disagree; ``styles`` has one for each reading."""

    def __init__(self, styles: Sequence[str]) -> None:
        self.styles = tuple(styles)
        super().__init__(" or ".join(styles))


class Days:
    """Reads a day in one style: days since 1970-01-01. A time may follow.

    A time with an offset is an instant, whose day is that of ``zone``; one without is local.
    """

    def __init__(self, style: str, zone: ZoneInfo) -> None:
        self.what = f"day written as {style}"
        pattern, self._order = DATE_FORMATS[style]
        self._pattern, self._zone = re.compile(pattern), zone
        self._known: dict[str, int] = {}

    def __call__(self, text: str) -> int:
        """Raises ValueError where there is no such day."""
        known = self._known.get(text)
        if known is not None:
            return known
        match = self._pattern.match(text)
        if match is None:
            raise ValueError(text)
        rest = text[match.end() :]
        if rest and not _TIME.match(rest):
            raise ValueError(text)
        if _OFFSET.search(rest):
            return self._of_instant(self._date(match), rest.strip(" T"))
        written = match.group()
        if written not in self._known:
            self._known[written] = self._date(match).toordinal() - EPOCH
        return self._known[written]

    def _date(self, match: re.Match[str]) -> date:
        year, month, day = (int(part) for part in match.expand(self._order).split("-"))
        return date(year, month, day)

    def _of_instant(self, day: date, time: str) -> int:
        hour, _, rest = time.replace(" ", "").partition(":")
        instant = datetime.fromisoformat(f"{day}T{hour:0>2}:{rest}")
        return instant.astimezone(self._zone).toordinal() - EPOCH


class Amounts:
    """Reads an amount in one style; a currency symbol may stand beside it."""

    def __init__(self, style: str) -> None:
        self.what = f"number written as {style}"
        pattern, self._grouping, self._point = NUMBER_STYLES[style]
        self._pattern = re.compile(pattern)

    def __call__(self, text: str) -> float:
        """Raises ValueError where it is no such number."""
        text = text.translate(SYMBOLS)
        if not self._pattern.match(text):
            raise ValueError(text)
        if self._grouping:
            text = text.replace(self._grouping, "")
        return float(text if self._point == "." else text.replace(self._point, "."))


def date_style(samples: Sequence[str]) -> str:
    """The style of a column of days.

    Raises:
        Unclear: none fits every sample, or several that read one of them differently.
    """
    return _agreed(samples, possible_dates(samples), lambda style: Days(style, ZoneInfo("UTC")))


def amount_style(samples: Sequence[str]) -> str:
    """The style of a column of amounts, the one that also reads grouped thousands where two agree.

    Raises:
        Unclear: none fits every sample, or several that read one of them differently.
    """
    possible = possible_numbers([text.translate(SYMBOLS) for text in samples])
    return _agreed(samples, sorted(possible, key=_generality), Amounts)


def _generality(style: str) -> tuple[bool, bool]:
    _pattern, grouping, point = NUMBER_STYLES[style]
    return point != ".", not grouping


def _agreed(samples: Sequence[str], possible: Sequence[str], make: Callable[[str], Style]) -> str:
    readings: dict[str, list[float]] = {}
    for style in possible:
        try:
            values = [make(style)(text) for text in samples]
        except ValueError:  # the 31st of February
            continue
        if values not in readings.values():
            readings[style] = values
    if len(readings) != 1:
        raise Unclear(tuple(readings))
    return next(iter(readings))
