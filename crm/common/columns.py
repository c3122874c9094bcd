"""Columns of numbers on their way into PostgreSQL by binary COPY, a block of rows at a time, without a row in Python.

A row with NULLs is shorter on the wire than one without, so the rows of a block are written by which of their columns
are NULL.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crm.common import sql

BLOCK = 32_768  # rows, for whoever cuts them
EPOCH = np.datetime64("2000-01-01")  # of PostgreSQL's dates


@dataclass(frozen=True)
class Column:
    """Values (n,) and which of them are NULL (n,), or None if none is.

    They travel as they are: whole numbers, floats, and dates as days since ``EPOCH`` (int32).
    """

    values: NDArray[Any]
    null: NDArray[np.bool_] | None = None

    def part(self, rows: slice) -> "Column":
        """Some of the rows."""
        return Column(self.values[rows], None if self.null is None else self.null[rows])

    def at(self, places: NDArray[np.int64]) -> "Column":
        """The rows at these places."""
        return Column(self.values[places], None if self.null is None else self.null[places])


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
    for place, column in enumerate(columns):
        fields.append((f"width{place}", ">i4"))
        if place not in missing:
            fields.append((f"value{place}", column.values.dtype.newbyteorder(">")))
    wire = np.empty(len(chosen), dtype=fields)
    wire["columns"] = len(columns)
    everything = len(chosen) == len(columns[0].values)
    for place, column in enumerate(columns):
        if place in missing:
            wire[f"width{place}"] = -1
            continue
        wire[f"width{place}"] = column.values.itemsize
        wire[f"value{place}"] = column.values if everything else column.values[chosen]
    return wire.view(np.uint8).data
