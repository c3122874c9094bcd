"""Columns of numbers on their way into PostgreSQL by binary COPY, a block of rows at a time, without a row in Python.

NUMERIC travels as NUMERIC: PostgreSQL takes ten times as long to make one of a float. A row with NULLs is shorter
on the wire than one without, so the rows of a block are written by which of their columns are NULL.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crm.common import sql

BLOCK = 32_768  # rows, for whoever cuts them
PLACES = 3  # decimals of money
_BASE = 10_000  # of a digit of PostgreSQL's; one holds what is behind the point
_NEGATIVE = 0x4000
_HEADER = [("ndigits", ">i2"), ("weight", ">i2"), ("sign", ">i2"), ("dscale", ">i2")]
EPOCH = np.datetime64("2000-01-01")  # of PostgreSQL's dates


@dataclass(frozen=True)
class Column:
    """Values (n,) and which of them are NULL (n,), or None if none is.

    ``money`` values are whole thousandths (int64) and become numeric(18, 3); others travel as they are: whole
    numbers, floats, and dates as days since ``EPOCH`` (int32).
    """

    values: NDArray[Any]
    null: NDArray[np.bool_] | None = None
    money: bool = False

    def part(self, rows: slice) -> "Column":
        """Some of the rows."""
        return Column(self.values[rows], None if self.null is None else self.null[rows], self.money)

    def at(self, places: NDArray[np.int64]) -> "Column":
        """The rows at these places."""
        return Column(self.values[places], None if self.null is None else self.null[places], self.money)

    @property
    def wire(self) -> np.dtype:
        """A value as it travels: an amount with as many digits as the largest one here has."""
        if not self.money:
            return self.values.dtype.newbyteorder(">")
        largest = max(-int(self.values.min(initial=0)), int(self.values.max(initial=0)))
        whole, before = largest // 10**PLACES, 1
        while whole >= _BASE**before:
            before += 1
        return np.dtype([*_HEADER, ("digits", ">i2", before + 1)])


def copy_columns(
    table: str, names: Sequence[str], blocks: Iterable[Mapping[str, Column]], *, frozen: bool = False
) -> int:
    """Write blocks of columns, each of one length, into ``table``; returns the rows.

    The next block is made while PostgreSQL takes this one. ``frozen`` as ``sql.copy_binary``.
    """
    written = _Written(names, blocks)
    sql.copy_binary(table, names, written.ahead(), frozen=frozen)
    return written.rows


class _Written:
    """Blocks as they travel, and how many rows they were."""

    def __init__(self, names: Sequence[str], blocks: Iterable[Mapping[str, Column]]) -> None:
        self.names, self.blocks, self.rows = names, iter(blocks), 0

    def ahead(self) -> Iterator[memoryview]:
        """One block after the other, each made beside while the one before is taken."""
        with ThreadPoolExecutor(1) as beside:
            coming = beside.submit(self._next)
            while (ready := coming.result()) is not None:
                coming = beside.submit(self._next)
                yield from ready

    def _next(self) -> list[memoryview] | None:
        made = next(self.blocks, None)
        if made is None:
            return None
        columns = [made[name] for name in self.names]
        self.rows += len(columns[0].values)
        return list(_patterns(columns))


def _patterns(columns: list[Column]) -> Iterator[memoryview]:
    """The rows of a block as they travel: those with the same columns NULL together."""
    nullable = [place for place, column in enumerate(columns) if column.null is not None]
    pattern = np.zeros(len(columns[0].values), dtype=np.int64)
    for bit, place in enumerate(nullable):
        pattern |= columns[place].null.astype(np.int64) << bit  # type: ignore[union-attr]
    for code in np.unique(pattern):
        missing = {place for bit, place in enumerate(nullable) if code >> bit & 1}
        yield _encoded(columns, np.flatnonzero(pattern == code), missing)


def _encoded(columns: list[Column], chosen: NDArray[Any], missing: set[int]) -> memoryview:
    """Rows of one pattern: the count of columns, then each one's width and value; -1 for NULL."""
    fields: list[tuple[str, Any]] = [("columns", ">i2")]
    wires = {place: column.wire for place, column in enumerate(columns) if place not in missing}
    for place in range(len(columns)):
        fields.append((f"width{place}", ">i4"))
        if place in wires:
            fields.append((f"value{place}", wires[place]))
    wire = np.empty(len(chosen), dtype=fields)
    wire["columns"] = len(columns)
    everything = len(chosen) == len(columns[0].values)
    for place, column in enumerate(columns):
        if place in missing:
            wire[f"width{place}"] = -1
            continue
        wire[f"width{place}"] = wires[place].itemsize
        values = column.values if everything else column.values[chosen]
        if column.money:
            _write_numeric(wire[f"value{place}"], values)
        else:
            wire[f"value{place}"] = values
    return wire.view(np.uint8).data


def _write_numeric(target: NDArray[Any], thousandths: NDArray[np.int64]) -> None:
    """Digits of base 10,000, the most significant first; PostgreSQL drops leading and trailing zeros itself."""
    rest, fraction = np.divmod(np.abs(thousandths), 10**PLACES)
    digits = target["digits"]
    count = digits.shape[1]
    target["ndigits"], target["weight"], target["dscale"] = count, count - 2, PLACES
    target["sign"] = np.where(thousandths < 0, _NEGATIVE, 0)
    digits[:, -1] = fraction * 10
    for place in range(count - 2, 0, -1):
        rest, digit = np.divmod(rest, _BASE)
        digits[:, place] = digit
    digits[:, 0] = rest
