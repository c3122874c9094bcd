"""Columns of numbers on their way into PostgreSQL by binary COPY, a block of rows at a time, without a row in Python.

NUMERIC travels as NUMERIC: PostgreSQL takes ten times as long to make one of a float. A row with NULLs is shorter
on the wire than one without, so the rows of a block are written by which of their columns are NULL.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import connection
from numpy.typing import NDArray
from psycopg import sql
from psycopg.sql import Identifier

HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER = b"\xff\xff"
BLOCK = 32_768  # rows
PLACES = 3  # decimals of money
_DIGITS = 5  # of base 10,000: four before the point, one behind
_NEGATIVE = 0x4000
_NUMERIC = np.dtype(
    [("ndigits", ">i2"), ("weight", ">i2"), ("sign", ">i2"), ("dscale", ">i2"), ("digits", ">i2", _DIGITS)]
)
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

    @property
    def wire(self) -> np.dtype:
        return _NUMERIC if self.money else self.values.dtype.newbyteorder(">")


def copy_columns(table: str, columns: Mapping[str, Column], *, frozen: bool = False) -> int:
    """Write columns of equal length into ``table``; returns the rows.

    ``frozen`` spares PostgreSQL a later visit to each row; only for a table made in the same transaction.
    """
    target = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY, FREEZE {})").format(
        Identifier(table),
        sql.SQL(", ").join(map(Identifier, columns)),
        sql.SQL("true" if frozen else "false"),
    )
    rows = len(next(iter(columns.values())).values)
    starts = range(0, rows, BLOCK)

    def block(start: int) -> list[bytes]:
        return list(_blocks(list(columns.values()), slice(start, start + BLOCK)))

    with connection.cursor() as cursor, cursor.copy(target) as copy, ThreadPoolExecutor(1) as beside:
        copy.write(HEADER)
        coming = [beside.submit(block, start) for start in starts[:1]]
        for following in (*starts[1:], None):  # the next block is encoded while PostgreSQL takes this one
            ready = coming.pop().result() if coming else []
            if following is not None:
                coming.append(beside.submit(block, following))
            for written in ready:
                copy.write(written)
        copy.write(TRAILER)
    return rows


def _blocks(columns: list[Column], part: slice) -> Iterator[bytes]:
    """The rows of a part as they travel: those with the same columns NULL together."""
    nullable = [place for place, column in enumerate(columns) if column.null is not None]
    rows = len(columns[0].values[part])
    pattern = np.zeros(rows, dtype=np.int64)
    for bit, place in enumerate(nullable):
        pattern |= columns[place].null[part].astype(np.int64) << bit  # type: ignore[index]
    for code in np.unique(pattern):
        missing = {place for bit, place in enumerate(nullable) if code >> bit & 1}
        yield _encoded(columns, part, np.flatnonzero(pattern == code), missing)


def _encoded(columns: list[Column], part: slice, chosen: NDArray[Any], missing: set[int]) -> bytes:
    """Rows of one pattern: the count of columns, then each one's width and value; -1 for NULL."""
    fields: list[tuple[str, Any]] = [("columns", ">i2")]
    for place, column in enumerate(columns):
        fields.append((f"width{place}", ">i4"))
        if place not in missing:
            fields.append((f"value{place}", column.wire))
    wire = np.empty(len(chosen), dtype=fields)
    wire["columns"] = len(columns)
    everything = len(chosen) == len(columns[0].values[part])
    for place, column in enumerate(columns):
        if place in missing:
            wire[f"width{place}"] = -1
            continue
        wire[f"width{place}"] = column.wire.itemsize
        values = column.values[part] if everything else column.values[part][chosen]
        if column.money:
            _write_numeric(wire[f"value{place}"], values)
        else:
            wire[f"value{place}"] = values
    return wire.tobytes()


def _write_numeric(target: NDArray[Any], thousandths: NDArray[np.int64]) -> None:
    """Digits of base 10,000, the most significant first; PostgreSQL drops leading and trailing zeros itself."""
    rest, fraction = np.divmod(np.abs(thousandths), 10**PLACES)
    target["ndigits"], target["weight"], target["dscale"] = _DIGITS, _DIGITS - 2, PLACES
    target["sign"] = np.where(thousandths < 0, _NEGATIVE, 0)
    digits = target["digits"]
    digits[:, -1] = fraction * 10
    for place in range(_DIGITS - 2, 0, -1):
        rest, digit = np.divmod(rest, 10_000)
        digits[:, place] = digit
    digits[:, 0] = rest
