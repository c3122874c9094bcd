"""Binary COPY between numpy and PostgreSQL for the bench, and bulk loading beside indices."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from django.db import connection

from crm.common.columns import BLOCK, Column, copy_columns

NUMERIC = "V14"  # numeric(.., 3): a header and three digits of base 10,000


def numeric(thousandths: np.ndarray) -> np.ndarray:
    """Whole thousandths below 10^11 as PostgreSQL's binary numeric."""
    wire = np.empty((len(thousandths), 7), dtype=">i2")
    wire[:, :4] = 3, 1, 0, 3  # digits, weight of the first, sign, decimals
    whole = thousandths // 1000
    wire[:, 4], wire[:, 5], wire[:, 6] = whole // 10_000, whole % 10_000, thousandths % 1000 * 10
    return wire.view(NUMERIC)[:, 0]


def copy_out(query: str, dtype: np.dtype) -> np.ndarray:
    """The query's rows as records on the wire, big-endian: the least a client can do with them."""
    wire: list[tuple[str, str]] = [("fields", ">i2")]
    for name in dtype.names or ():
        wire += [(f"length of {name}", ">i4"), (name, dtype[name].newbyteorder(">").str)]
    with connection.cursor() as cursor, cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT BINARY)") as copy:
        data = b"".join(bytes(block) for block in copy)
    return np.frombuffer(
        data, dtype=np.dtype(wire), offset=19, count=(len(data) - 21) // np.dtype(wire).itemsize
    )


def copy_in(table: str, columns: dict[str, np.ndarray | bytes]) -> int:
    """COPY columns into the table; bytes stand in every row."""
    rows = max(len(column) for column in columns.values() if not isinstance(column, bytes))
    return copy_columns(table, tuple(columns), _blocks(columns, rows))


def _blocks(columns: dict[str, np.ndarray | bytes], rows: int) -> Iterator[dict[str, Column]]:
    for start in range(0, rows, BLOCK):
        stop = min(start + BLOCK, rows)
        yield {
            name: Column(
                np.full(stop - start, column, f"S{len(column)}")
                if isinstance(column, bytes)
                else column[start:stop]
            )
            for name, column in columns.items()
        }


def numbered(prefix: bytes, numbers: np.ndarray, suffix: bytes = b"") -> np.ndarray:
    """``prefix`` and the number in nine digits, of one width: binary COPY of records knows no other."""
    digits = numbers[:, None] // 10 ** np.arange(8, -1, -1) % 10 + ord("0")
    text = np.empty((len(numbers), len(prefix) + 9 + len(suffix)), dtype="u1")
    text[:, : len(prefix)] = np.frombuffer(prefix, "u1")
    text[:, len(prefix) : len(prefix) + 9] = digits
    text[:, len(prefix) + 9 :] = np.frombuffer(suffix, "u1")
    return text.view(f"S{text.shape[1]}")[:, 0]


def patient() -> None:
    """Let this session's statements take as long as a bulk load takes."""
    execute("SET statement_timeout = 0")
    execute("SET lock_timeout = 0")
    execute("SET maintenance_work_mem = '1GB'")


def execute(statement: str, *params: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, params or None)
        return cursor.rowcount


def rows(statement: str, *params: Any) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params or None)
        return cursor.fetchall()


@contextmanager
def without_indices(table: str) -> Iterator[None]:
    """Drop what slows a bulk load row by row, and make it again afterwards: all but the primary key."""
    constraints = rows(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid = %s::regclass AND contype IN ('u', 'f') ORDER BY contype DESC",
        table,
    )
    indices = rows(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = %s::regclass"
        " AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)",
        table,
    )
    for name, _definition in constraints:
        execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
    for name, _definition in indices:
        execute(f"DROP INDEX {name}")
    yield
    for _name, definition in indices:
        execute(definition)
    for name, definition in constraints:
        execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')


def vacuum_due() -> list[str]:
    """VACUUM ANALYZE what autovacuum's default thresholds would have had it visit by now."""
    due = rows(
        "SELECT s.relname FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid"
        " WHERE n_dead_tup > 50 + 0.2 * greatest(reltuples, 0) OR n_mod_since_analyze > 50 + 0.1 * greatest(reltuples, 0)"
        " OR n_ins_since_vacuum > 1000 + 0.2 * greatest(reltuples, 0)"
    )
    for (name,) in due:
        execute(f'VACUUM (ANALYZE) "{name}"')
    return [name for (name,) in due]
