"""A purchase log in a file of text, read row by row: in memory are some 30 bytes a row, not the text."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import TextIOWrapper
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO
from zoneinfo import ZoneInfo

import numpy as np

from customers.core import reading
from ltv.core import summary
from ltv.core.command.cells import Style
from ltv.core.command.layout import NEEDED, OPTIONAL, BadLog, Layout, Wanted, layout

SAMPLE = 1_000
BLOCK = 1 << 20
# rows between two looks at how far the reading is
STRIDE = 20_000
PROBLEMS = {
    "empty": "the file is empty",
    "spreadsheet": "this is a spreadsheet, not text; save it as CSV first",
    "nul": "a NUL byte; this is no text in UTF-8",
    "unclosed_quote": "a quote is opened and never closed",
    "stray_quote": "a quote inside a field is not doubled",
    "field_too_long": "a field is longer than 10,000 characters",
    "too_many_columns": "more than 100 columns",
    "unclear_encoding": "the text is not UTF-8; name its encoding with --encoding, such as",
}


# what no shifted hash can be
PURCHASE_OF_NONE, REFUND_OF_NONE = 2**62, 2**62 + 1


@dataclass(frozen=True)
class Purchases:
    """The log and what is worth saying of its reading.

    The log's customers are places in ``names``. ``columns``: fact -> title of its column;
    ``left_out``: incomplete rows and those after the last day to count; ``currency``: "" when unknown.
    """

    log: summary.Log
    names: list[str]
    rows: int
    left_out: int
    currency: str
    columns: dict[str, str]


def read(path: Path, wanted: Wanted, zone: ZoneInfo, progress: Callable[[float], None]) -> Purchases:
    """Read a whole file; ``progress`` is told now and then which share of it is done.

    Raises:
        BadLog: naming row and column.
        OSError: the file cannot be opened.
    """
    try:
        with path.open("rb") as file:
            encoding = wanted.encoding or reading.encoding_of(_blocks(file))
            size = file.seek(0, 2)
            file.seek(0)
            with TextIOWrapper(file, encoding=encoding, newline="") as text:
                return _read(text, wanted, zone, lambda: progress(file.tell() / max(size, 1)))
    except reading.BadFile as error:
        where = f"row {error.row}: " if error.row else ""
        what = PROBLEMS[error.code]
        raise BadLog(f"{where}{what}" + (f" {error.value}" if what.endswith("as") else "")) from error
    except (UnicodeError, LookupError) as error:
        raise BadLog(f"the text is not {wanted.encoding}: {error}") from error


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    while block := file.read(BLOCK):
        yield block


def _read(text: TextIOWrapper, wanted: Wanted, zone: ZoneInfo, progress: Callable[[], None]) -> Purchases:
    head = []
    for line in text:
        head.append(line)
        if line.strip():
            break
    rows = reading.records(chain(head, text), reading.separator_of(head[-1]))
    sample = list(islice(rows, SAMPLE))
    plan = layout([cells for _row, cells in sample], wanted, zone)
    taken = _Rows(plan, wanted)
    for count, (row, cells) in enumerate(chain(sample[plan.header :], rows)):
        taken.add(row, cells)
        if count % STRIDE == 0:
            progress()
    return taken.purchases()


class _Rows:
    """Takes rows in, one after the other, as numbers."""

    def __init__(self, plan: Layout, wanted: Wanted) -> None:
        self._plan, self._skip = plan, wanted.skip_incomplete
        self._end = math.inf if wanted.until is None else wanted.until
        self._customer, self._date, self._amount = (plan.places[fact] for fact in NEEDED)
        self._quantity, self._order, self._money = (plan.places.get(fact) for fact in OPTIONAL)
        self._codes: dict[str, int] = {}
        self._customers, self._days, self._orders = array("q"), array("q"), array("q")
        self._amounts = array("d")
        self._currency, self._left_out = "", 0

    def add(self, row: int, cells: list[str]) -> None:
        if len(cells) != len(self._plan.titles):
            raise BadLog(f"row {row} has {len(cells)} columns, {len(self._plan.titles)} expected")
        name = cells[self._customer]
        if not (name and cells[self._date] and cells[self._amount]):
            self._incomplete(row, cells)
            return
        day = self._cell(row, cells, self._date, self._plan.day)
        money = self._cell(row, cells, self._amount, self._plan.amount)
        if self._quantity is not None:
            money *= self._cell(row, cells, self._quantity, self._plan.amount)
        if self._money is not None:
            self._one_currency(row, cells[self._money])
        if day > self._end:
            self._left_out += 1
            return
        self._customers.append(self._codes.setdefault(name, len(self._codes)))
        self._days.append(int(day))
        self._amounts.append(money)
        if self._order is not None:
            self._orders.append(_order_code(cells[self._order], money))

    def _cell(self, row: int, cells: list[str], place: int, style: Style) -> float:
        try:
            return style(cells[place])
        except ValueError:
            column = self._plan.titles[place]
            raise BadLog(f"row {row}, column {column!r}: {cells[place]!r} is no {style.what}") from None

    def _incomplete(self, row: int, cells: list[str]) -> None:
        if not self._skip:
            fact = next(fact for fact in NEEDED if not cells[self._plan.places[fact]])
            title = self._plan.title(fact)
            raise BadLog(f"row {row}, column {title!r}: no {fact}; --skip-incomplete leaves such rows out")
        self._left_out += 1

    def _one_currency(self, row: int, currency: str) -> None:
        self._currency = self._currency or currency
        if currency != self._currency:
            where = f"row {row}, column {self._plan.title('currency')!r}"
            raise BadLog(f"{where}: {currency!r} after {self._currency!r}; value one currency at a time")

    def purchases(self) -> Purchases:
        orders = np.frombuffer(self._orders, np.int64) if self._orders else None
        log = summary.purchase_log(
            np.frombuffer(self._customers, np.int64),
            np.frombuffer(self._days, np.int64),
            np.frombuffer(self._amounts, np.float64),
            orders,
        )
        return Purchases(
            log=log,
            names=list(self._codes),
            rows=len(self._days),
            left_out=self._left_out,
            currency=self._currency,
            columns={fact: self._plan.title(fact) for fact in self._plan.places},
        )


def _order_code(name: str, money: float) -> int:
    """A number that two rows share where they name the same order; rows that name none share none."""
    if name:
        return hash(name) >> 2
    return PURCHASE_OF_NONE if money >= 0 else REFUND_OF_NONE
