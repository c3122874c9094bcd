"""The one runner of hand-written SQL, which lives in ``<app>/sql/<name>.sql``.

Values travel as psycopg parameters (``%(name)s``). Identifiers and compiled fragments, which PostgreSQL cannot
take as parameters, travel as psycopg ``Composable`` objects for ``{name}`` placeholders; a literal brace is
doubled.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from django.apps import apps
from django.db import Error, connection, transaction
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.backends.utils import CursorWrapper
from django.db.models import QuerySet
from psycopg import sql
from psycopg.sql import Composable, Identifier

Params = Mapping[str, Any]
Parts = Mapping[str, Composable]
_BINARY_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_BINARY_TRAILER = b"\xff\xff"
_ARRAY_HEADER = 20
COUNTED = 100_000  # rows


@cache
def _text(name: str) -> str:
    app, _, file = name.partition("/")
    lines = (Path(apps.get_app_config(app).path) / "sql" / f"{file}.sql").read_text("utf-8").splitlines()
    return "\n".join(line for line in lines if not line.startswith("--"))  # its header is for people


def compose(name: str, parts: Parts | None = None) -> Composable:
    """The statement ``app/file`` with its ``{placeholders}`` filled by identifiers or fragments."""
    return sql.SQL(_text(name)).format(**(parts or {}))  # type: ignore[arg-type]


def union(queries: Iterable[str | Composable]) -> Composable:
    """Several queries of the same columns as one, to fill a ``{placeholder}``: by name, or composed already."""
    composed = (compose(one) if isinstance(one, str) else one for one in queries)
    return sql.SQL(" UNION ALL ").join(sql.SQL("({})").format(one) for one in composed)


def query(queryset: QuerySet[Any]) -> Composable:
    """A queryset, its values in place, to fill a ``{placeholder}``: a named set inside another statement."""
    text, params = queryset.query.sql_with_params()
    connection.ensure_connection()
    bound = connection.connection.cursor().mogrify(text, params)
    return sql.SQL(bound.replace("%", "%%"))  # the whole statement takes parameters once more


def written(name: str, parts: Parts | None = None) -> str:
    """The statement ``app/file`` as text."""
    connection.ensure_connection()
    return compose(name, parts).as_string(connection.connection)


def execute(name: str, params: Params | None = None, parts: Parts | None = None) -> int:
    """Run ``app/sql/file.sql``; returns the number of rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(written(name, parts), params or {})
        return cursor.rowcount


def rows(name: str, params: Params | None = None, parts: Parts | None = None) -> list[dict[str, Any]]:
    """Run a query; one dict a row."""
    with connection.cursor() as cursor:
        cursor.execute(written(name, parts), params or {})
        columns = [column.name for column in cursor.description]
        return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def prepared(text: str, params: Params | Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run a query that ``written`` or the ORM wrote before; PostgreSQL keeps its plan as long as the connection lives."""
    with connection.cursor() if connection.queries_logged else _preparing_cursor() as cursor:
        cursor.execute(text, params)
        return cursor.fetchall()


def _preparing_cursor() -> CursorWrapper:
    """Django's own leaves the values in the text, so that no two statements are the same to PostgreSQL."""
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    return connection.make_cursor(ServerBindingCursor(connection.connection))  # type: ignore[arg-type, call-arg]


@contextmanager
def patient(seconds: int, *, memory_mb: int = 64, snapshot: bool = False) -> Iterator[None]:
    """A transaction whose statements may take ``seconds`` and sort in ``memory_mb``: the night, imports.

    With ``snapshot`` they all see one moment, that of the first; not inside another transaction, whose level stays.
    """
    outermost = not connection.in_atomic_block
    with transaction.atomic(), connection.cursor() as cursor:
        if snapshot and outermost:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute(
            "SELECT set_config('statement_timeout', %s, true), set_config('work_mem', %s, true),"
            " set_config('lock_timeout', '10s', true), set_config('idle_in_transaction_session_timeout', '0', true)",
            [f"{seconds}s", f"{memory_mb}MB"],
        )
        yield


@contextmanager
def without_help() -> Iterator[None]:
    """PostgreSQL starts no processes to help with this session's statements while the block runs."""
    change = (
        "SELECT set_config('max_parallel_workers_per_gather', %s, false),"
        " set_config('max_parallel_maintenance_workers', %s, false)"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('max_parallel_workers_per_gather'), current_setting('max_parallel_maintenance_workers')"
        )
        before = cursor.fetchone()
        cursor.execute(change, ["0", "0"])
    try:
        yield
    finally:
        with suppress(Error), connection.cursor() as cursor:  # a connection that died took its settings along
            cursor.execute(change, before)


def limits() -> list[tuple[str, str]]:
    """What the statements of this transaction may take, for ``under``."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, setting || coalesce(unit, '') FROM pg_settings"
            " WHERE name IN ('statement_timeout', 'lock_timeout', 'work_mem')"
        )
        return [(name, value) for name, value in cursor.fetchall()]


@contextmanager
def under(limits: Iterable[tuple[str, str]]) -> Iterator[None]:
    """A transaction with the limits of another one."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.executemany("SELECT set_config(%s, %s, true)", list(limits))
        yield


@contextmanager
def one_moment() -> Iterator[None]:
    """A page's reading: its statements all see the moment of the first one, and nothing can be written.

    Without it a night that is published between two of them would be half on the page. Inside another transaction
    that one's moment stays. Around a view: ``@sql.one_moment()``; what it hands on must have been read by then.
    """
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def know_sizes() -> None:
    """Count the tables which PostgreSQL's planner takes for empty although they are not.

    When autovacuum passes while one long transaction fills an empty table, it sees none of the rows and notes "0
    rows". Every join after it in that transaction would then read the whole table once per row.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace"
            " AND relkind = 'r' AND reltuples = 0 AND pg_relation_size(oid) > 0"
        )
        for (name,) in cursor.fetchall():
            cursor.execute(sql.SQL("ANALYZE {}").format(Identifier(name)).as_string(connection.connection))


def about(table: str) -> int:
    """How many rows a table has: exactly where they are few or unknown, else about, as PostgreSQL's planner reckons."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT reltuples / relpages * pg_relation_size(oid) / current_setting('block_size')::int"
            " FROM pg_class WHERE oid = %s::regclass AND reltuples > 0 AND relpages > 0",
            [table],
        )
        if (found := cursor.fetchone()) and found[0] > COUNTED:
            return round(found[0])
        cursor.execute(
            sql.SQL("SELECT count(*) FROM {}").format(Identifier(table)).as_string(connection.connection)
        )
        return int(cursor.fetchone()[0])


def copy_out(
    name: str, dtype: np.dtype, params: Params | None = None, parts: Parts | None = None
) -> np.ndarray:
    """Read a query into a structured array, shape (n,), by binary COPY.

    The query must return exactly the dtype's columns, NOT NULL and of fixed width (int2/4/8, float4/8, bool):
    each field is stored big-endian as PostgreSQL sends it.
    """
    connection.ensure_connection()
    record = _record_dtype(dtype)
    text = connection.connection.cursor().mogrify(compose(name, parts), params or {})
    with connection.cursor() as cursor, cursor.copy(f"COPY ({text}) TO STDOUT (FORMAT BINARY)") as copy:
        data = bytearray()
        for block in copy:
            data += block
    body = len(data) - len(_BINARY_HEADER) - len(_BINARY_TRAILER)
    if body % record.itemsize:
        raise ValueError(f"{name}: a column is nullable or not of the declared width")
    found = np.frombuffer(data, record, count=body // record.itemsize, offset=len(_BINARY_HEADER))
    out = np.empty(len(found), dtype=dtype)
    for field in dtype.names or ():
        out[field] = found[field]
    return out


def copy_arrays(
    name: str, dtype: np.dtype, params: Params | None = None, parts: Parts | None = None
) -> dict[str, np.ndarray]:
    """As ``copy_out``, a column at a time, which costs a tenth of the client's time: for up to a million rows.

    PostgreSQL packs the columns into one row of arrays, and a row must stay below 1 GB.
    """
    columns = sql.SQL(", ").join(
        sql.SQL("array_agg({})").format(Identifier(one)) for one in dtype.names or ()
    )
    return _unpacked(
        sql.SQL("SELECT {} FROM ({}) AS one").format(columns, compose(name, parts)), dtype, params
    )


def copy_packed(
    name: str, dtype: np.dtype, params: Params | None = None, parts: Parts | None = None
) -> dict[str, np.ndarray]:
    """As ``copy_arrays``, of a query that has the arrays in its one row itself: they may differ in length."""
    return _unpacked(compose(name, parts), dtype, params)


def _unpacked(query: sql.Composable, dtype: np.dtype, params: Params | None) -> dict[str, np.ndarray]:
    """The one row of arrays that the query returns, by the dtype's names in their order."""
    connection.ensure_connection()
    packed = sql.SQL("COPY ({}) TO STDOUT (FORMAT BINARY)").format(query)
    text = connection.connection.cursor().mogrify(packed, params or {})
    with connection.cursor() as cursor, cursor.copy(text) as copy:
        data = b"".join(copy)
    found, at = {}, len(_BINARY_HEADER) + 2
    for field in dtype.names or ():
        length = int.from_bytes(data[at : at + 4], "big", signed=True)
        at += 4
        found[field] = _array(data, at, length, dtype[field])
        at += max(length, 0)
    return found


def _array(data: bytes, at: int, length: int, kind: np.dtype) -> np.ndarray:
    """A one-dimensional array as PostgreSQL sends it, NULL for none: 20 bytes of header, then widths and values."""
    if length <= _ARRAY_HEADER:
        return np.empty(0, dtype=kind)
    record = np.dtype([("width", ">i4"), ("value", kind.newbyteorder(">"))])
    count, rest = divmod(length - _ARRAY_HEADER, record.itemsize)
    found = np.frombuffer(data, record, count, offset=at + _ARRAY_HEADER)
    if rest or (found["width"] != kind.itemsize).any():
        raise ValueError("a column is nullable or not of the declared width")
    return found["value"].astype(kind)


def copy_rows(name: str, records: Iterable[Sequence[Any]]) -> int:
    """Feed rows to the ``COPY ... FROM STDIN`` statement in ``app/sql/file.sql``; returns how many."""
    count = 0
    with connection.cursor() as cursor, cursor.copy(compose(name)) as copy:
        for record in records:
            copy.write_row(record)
            count += 1
    return count


def copy_binary(
    table: str, names: Sequence[str], rows: Iterable[memoryview], *, frozen: bool = False
) -> None:
    """Write rows as binary COPY has them (see ``columns``) into these columns of ``table``.

    ``frozen`` spares PostgreSQL a later visit to each row; only for a table made in the same transaction.
    """
    target = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY, FREEZE {})").format(
        Identifier(table), sql.SQL(", ").join(map(Identifier, names)), sql.SQL("true" if frozen else "false")
    )
    with connection.cursor() as cursor, cursor.copy(target) as copy:
        copy.write(_BINARY_HEADER)
        for written in rows:
            copy.write(written)
        copy.write(_BINARY_TRAILER)


def _record_dtype(dtype: np.dtype) -> np.dtype:
    """One COPY tuple: field count, then each field's length and big-endian value."""
    fields: list[tuple[str, str]] = [("_fields", ">i2")]
    for name in dtype.names or ():
        kind = dtype[name].newbyteorder(">").str
        fields += [(f"_len_{name}", ">i4"), (name, kind)]
    return np.dtype(fields)


def advisory_lock(name: str) -> bool:
    """Try to take the session-wide lock ``name``; PostgreSQL frees it when the connection dies."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [name])
        return bool(cursor.fetchone()[0])


def advisory_lock_until_commit(name: str) -> bool:
    """Try to take the lock ``name`` for the rest of the transaction: its holder is not at work until then."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [name])
        return bool(cursor.fetchone()[0])


def advisory_unlock(name: str) -> None:
    """Give the session-wide lock back."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [name])
