"""A run's own table: built beside the readers, checked, then attached and pointed at in one short transaction."""

import time
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.db.utils import OperationalError
from django.utils.translation import gettext_lazy as _
from psycopg.sql import Identifier, Literal

from crm.common import sql
from crm.common.errors import DomainError
from crm.common.models import Shop
from customers.services import segments
from ltv.choices import RunState
from ltv.events import run_published
from ltv.models import CurrentRun, LtvRun

KEEP = 3
PLANNING_PAUSE = 0.02  # seconds
PLANNING_PATIENCE = 100  # pauses


class GateRefused(DomainError):
    """The new figures contradict the facts they were made from; yesterday's stay in force."""

    code = "gate_refused"
    message = _("The new figures do not add up; the last ones stay in force.")


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


def build(run: LtvRun, shop: Shop) -> int:
    """Make the run's table from summaries, predictions and customers, with its indices; readers see nothing."""
    parts = _parts(run)
    with sql.patient(900, memory_mb=256):
        sql.know_sizes()
        sql.execute("ltv/partition_create", parts=parts)
        rows = sql.execute(
            "ltv/partition_fill",
            {
                "run_id": run.pk,
                "last_day": run.as_of - timedelta(days=1),
                "retention_months": run.retention_months,
                "margin_rate": run.margin_rate,
                "time_zone": shop.time_zone,
            },
            parts,
        )
        index = {
            "index": Identifier(f"{table_name(run.pk)}_clv"),
            "check": Identifier(f"{table_name(run.pk)}_run"),
            "run_id": Literal(run.pk),
        }
        sql.execute("ltv/partition_index", parts={**parts, **index})
    return rows


def check(run: LtvRun) -> dict[str, Any]:
    """The gates: every summary's customer is there, and revenue adds up to the cent.

    Raises:
        GateRefused: they do not.
    """
    found = sql.rows("ltv/partition_gates", parts=_parts(run))[0]
    problems = []
    if found["buyers"] != found["summaries"]:
        problems.append(f"{found['buyers']} predictions for {found['summaries']} buyers")
    if found["revenue"] != found["summary_revenue"]:
        problems.append(f"revenue {found['revenue']} against {found['summary_revenue']} in the summaries")
    if problems:
        raise GateRefused("; ".join(problems))
    return found


def figures(run: LtvRun) -> dict[str, Any]:
    """The totals of the start page, worked out once a night."""
    parts = _parts(run)
    with sql.patient(120, memory_mb=128):
        return {
            "deciles": [_plain(row) for row in sql.rows("ltv/figures_deciles", parts=parts)],
            "months": [_plain(row) for row in sql.rows("ltv/figures_months", {"as_of": run.as_of})],
            **_plain(sql.rows("ltv/figures_state", {"churn_days": run.churn_days}, parts)[0]),
        }


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {key: str(value) if isinstance(value, Decimal) else value for key, value in row.items()}


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
        CurrentRun.objects.update_or_create(only_row=True, defaults={"run": run})
        run.state, run.published_at = RunState.PUBLISHED, now
        run.save()
        run_published.send(sender=LtvRun, run=run, at=now)
        return segments.refresh(at=now, today=run.as_of)


def drop_old() -> int:
    """Drop the tables of all but the newest runs; what a reader still holds waits for the next night."""
    if connection.in_atomic_block:
        return 0  # DETACH CONCURRENTLY refuses to run inside a transaction
    dropped = 0
    for row in sql.rows("ltv/partition_old", parts={"keep": Literal(KEEP)}):
        table = Identifier(row["name"])
        try:
            sql.execute("ltv/partition_detach", parts={"partition": table})
        except OperationalError:
            break
        with transaction.atomic():
            sql.execute("ltv/table_drop", parts={"table": table})
        dropped += 1
    return dropped
