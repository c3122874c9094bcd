"""A run's own table: built beside the readers, checked, then attached and pointed at in one short transaction."""

import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.utils import OperationalError
from psycopg.sql import SQL, Identifier, Literal

from crm.common import sql
from crm.common.columns import Column, copy_columns
from customers.services import segments
from ltv.choices import RunState
from ltv.events import run_published
from ltv.models import CurrentRun, CustomerLtv, CustomerOutlook, LtvRun

COLUMNS = tuple(
    dict.fromkeys(
        str(field.column) for model in (CustomerLtv, CustomerOutlook) for field in model._meta.fields
    )
)
ATTACHED = 3  # runs that a statement may be reading; older ones are asked for by the name of their table
KEEP_DAYS = 14  # nights kept whole; before them the last one of each month
PLANNING_PAUSE = 0.02  # seconds
PLANNING_PATIENCE = 100  # pauses


def table_name(run_id: int) -> str:
    """The table of a run's figures."""
    return f"ltv_customerltv_r{run_id}"


def _parts(run: LtvRun) -> dict[str, Any]:
    return {"partition": Identifier(table_name(run.pk))}


def abandon_unfinished() -> int:
    """Remove what a killed night left behind: its table and its claim to be building."""
    with sql.patient(60):
        for row in sql.rows("ltv/partition_leftovers"):
            sql.execute("ltv/table_drop", parts={"table": Identifier(row["name"])})
        return LtvRun.objects.filter(state=RunState.BUILDING).update(state=RunState.ABANDONED)


def has_table(run: LtvRun) -> bool:
    """Whether the run's figures are still kept whole."""
    return bool(sql.rows("ltv/resuming_table", {"table": table_name(run.pk)}))


def build(run: LtvRun, blocks: Iterable[Mapping[str, Column]]) -> int:
    """Make the run's table of blocks of its columns, with its indices; readers see nothing."""
    parts = _parts(run)
    index = {
        "index": Identifier(f"{table_name(run.pk)}_clv"),
        "check": Identifier(f"{table_name(run.pk)}_run"),
        "run_id": Literal(run.pk),
    }
    with sql.patient(900, memory_mb=256):
        sql.execute("ltv/partition_create", parts=parts)
        rows = copy_columns(table_name(run.pk), COLUMNS, blocks, frozen=True)
        sql.execute("ltv/partition_index", parts={**parts, **index})
    return rows


def months(run: LtvRun) -> list[dict[str, Any]]:
    """Revenue and purchases of the months before the run's day, for the start page."""
    found = sql.rows("ltv/figures_months", {"as_of": run.as_of})
    return [{**row, "revenue": str(row["revenue"])} for row in found]


def attach(run: LtvRun) -> None:
    """Make the run's table a partition that nobody is pointed at yet, and let statements planned before it end.

    A statement plans first and takes its snapshot afterwards. Were table and pointer to commit together, one
    planned before and run after would follow the pointer to a partition its plan does not know, and find nobody.
    """
    with sql.patient(60):
        sql.execute("ltv/partition_attach", parts={**_parts(run), "run_id": Literal(run.pk)})
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
    alias = SQL("{alias}")
    numbers = {"revenue": Literal(str(run.revenue)), "buyers": Literal(run.buyers)}
    return {
        "ltv": sql.written("ltv/join_run", {**_parts(run), "run_id": Literal(run.pk), "alias": alias}),
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
