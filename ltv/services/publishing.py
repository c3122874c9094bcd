"""A run's own table: built beside the readers, checked, then attached and pointed at in one short transaction.

A large shop's is cut by ranges of customers, a table each, so that several workers fill it and PostgreSQL reads a
customer's range alone.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.utils import OperationalError
from psycopg.sql import SQL, Identifier, Literal

from crm.common import sql
from crm.common.columns import Column, copy_columns
from crm.common.models import JobPart
from customers.services import segments
from ltv.choices import RunState
from ltv.events import run_published
from ltv.models import CurrentRun, CustomerLtv, CustomerOutlook, LtvRun

COLUMNS = tuple(
    dict.fromkeys(
        str(field.column) for model in (CustomerLtv, CustomerOutlook) for field in model._meta.fields
    )
)
ATTACHED = 2  # runs that a statement may be reading: tonight's and the one before; older ones are asked for by the name of their table
KEEP_DAYS = 14  # nights kept whole; before them the last one of each month
PLANNING_PAUSE = 0.02  # seconds
PLANNING_PATIENCE = 100  # pauses


def table_name(run_id: int, part: int | None = None) -> str:
    """The table of a run's figures, or of one range of its customers."""
    return f"ltv_customerltv_r{run_id}" + ("" if part is None else f"_p{part}")


def _parts(run: LtvRun) -> dict[str, Any]:
    return {"partition": Identifier(table_name(run.pk))}


def abandon_unfinished() -> int:
    """Remove what a killed night left behind: its tables and its claim to be building."""
    with sql.patient(60):
        _drop_leftovers(None)
        return LtvRun.objects.filter(state=RunState.BUILDING).update(state=RunState.ABANDONED)


def drop_tables(run: LtvRun) -> None:
    """Remove whatever was built of a run and not attached."""
    with sql.patient(60):
        _drop_leftovers(run.pk)


def _drop_leftovers(run_id: int | None) -> None:
    for row in sql.rows("ltv/partition_leftovers", {"run_id": run_id}):
        sql.execute("ltv/table_drop", parts={"table": Identifier(row["name"])})


def has_table(run: LtvRun) -> bool:
    """Whether the run's figures are still kept whole."""
    return bool(sql.rows("ltv/resuming_table", {"table": table_name(run.pk)}))


def build(run: LtvRun, part: JobPart, blocks: Iterable[Mapping[str, Column]], *, alone: bool) -> int:
    """Make the table of a range of customers of blocks of its columns, with its indices; readers see nothing.

    ``alone`` it is the whole run's. In the caller's transaction; what an earlier attempt left is replaced.
    """
    name = table_name(run.pk, None if alone else part.number)
    table = {
        "partition": Identifier(name),
        "index": Identifier(f"{name}_clv"),
        "check": Identifier(f"{name}_run"),
        "bounds": Identifier(f"{name}_customers"),
        **_range(part),
        "run_id": Literal(run.pk),
    }
    sql.execute("ltv/table_drop", parts={"table": table["partition"]})
    sql.execute("ltv/partition_create", parts=table)
    rows = copy_columns(name, COLUMNS, blocks, frozen=True)
    sql.execute("ltv/partition_index", parts=table)
    return rows


def _range(part: JobPart) -> dict[str, Literal]:
    return {"low": Literal(part.low), "high": Literal(part.high)}


def months(run: LtvRun) -> list[dict[str, Any]]:
    """Revenue and purchases of the months before the run's day, for the start page."""
    found = sql.rows("ltv/figures_months", {"as_of": run.as_of})
    return [{**row, "revenue": str(row["revenue"])} for row in found]


def attach(run: LtvRun, cut: Sequence[JobPart]) -> None:
    """Make the run's table a partition that nobody is pointed at yet, and let statements planned before it end.

    Where it was cut, it is put together of the ranges first.

    A statement plans first and takes its snapshot afterwards. Were table and pointer to commit together, one
    planned before and run after would follow the pointer to a partition its plan does not know, and find nobody.
    """
    whole = {**_parts(run), "run_id": Literal(run.pk)}
    with sql.patient(60):
        if len(cut) > 1:
            sql.execute(
                "ltv/ranges_create", parts={**whole, "index": Identifier(f"{table_name(run.pk)}_clv")}
            )
        for part in cut if len(cut) > 1 else ():
            one = Identifier(table_name(run.pk, part.number))
            sql.execute("ltv/ranges_attach", parts={**whole, "range": one, **_range(part)})
        sql.execute("ltv/partition_attach", parts=whole)
    before = _busy()
    for _attempt in range(PLANNING_PATIENCE):
        if not before & _busy():
            return
        time.sleep(PLANNING_PAUSE)  # whoever is at it for longer took their snapshot long ago


def _busy() -> set[tuple[int, datetime]]:
    """The statements other sessions are at, each by its process and its start."""
    return {(row["pid"], row["query_start"]) for row in sql.rows("ltv/partition_readers")}


def publish(run: LtvRun, now: datetime) -> segments.SegmentsChanged:
    """Move the pointer, let segments and campaigns follow: all of it or nothing."""
    with sql.patient(600, memory_mb=256):
        sql.know_sizes()
        sql.execute("ltv/changes_clear")
        CurrentRun.objects.update_or_create(only_row=True, defaults={"run": run})
        run.state, run.published_at = RunState.PUBLISHED, now
        run.save()
        run_published.send(sender=LtvRun, run=run, at=now)
        return segments.refresh(at=now, today=run.as_of, overrides=_sources(run))


def _sources(run: LtvRun) -> segments.Overrides:
    """What rules ask of the current run, asked of this one's own table: in the order of customers, without a search."""
    alias, belongs = SQL("{alias}"), SQL("{belongs}")
    numbers = {"revenue": Literal(str(run.revenue)), "buyers": Literal(run.buyers)}
    return {
        "ltv": sql.written(
            "ltv/join_run", {**_parts(run), "run_id": Literal(run.pk), "alias": alias, "belongs": belongs}
        ),
        "average_buyer": sql.written("ltv/join_average", {**numbers, "alias": alias}),
    }


def drop_old() -> int:
    """Take old and abandoned runs out of readers' plans, drop what history need not keep; returns how many were dropped.

    What a reader still holds waits for the next night.
    """
    if connection.in_atomic_block:
        return 0  # DETACH CONCURRENTLY refuses to run inside a transaction
    for row in sql.rows("ltv/partition_old", parts={"keep": Literal(ATTACHED)}):
        detach = "ltv/partition_detach_finish" if row["begun"] else "ltv/partition_detach"
        try:
            sql.execute(detach, parts={"partition": Identifier(row["name"])})
        except OperationalError:
            break
    unwanted = sql.rows("ltv/partition_detached", parts={"days": Literal(KEEP_DAYS)})
    for row in unwanted:
        sql.execute("ltv/table_drop", parts={"table": Identifier(row["name"])})
    return len(unwanted)
