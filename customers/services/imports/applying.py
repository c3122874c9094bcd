"""Applying a checked batch: one transaction a chunk, the bookmark moved in the same transaction.

A chunk is judged again before it is written, because the world may have moved since the check. Killed anywhere,
the next ring goes on from the bookmark; an order lies wholly in the chunk of its first row.
"""

from datetime import datetime

from django.db import IntegrityError, OperationalError
from django.db.models import F, Min
from django.db.models.expressions import Combinable

from crm.common import sql
from crm.common.models import Shop
from customers.choices import ImportState, Verdict
from customers.models import ImportBatch, ImportRow

CHUNK_ROWS = 5_000
_TRIES = 4
_COUNTS = {
    Verdict.CREATE: "to_create", Verdict.UPDATE: "to_update", Verdict.SAME: "same", Verdict.ERROR: "errors",
}  # fmt: skip


class _Overtaken(Exception):
    """Another worker has moved the bookmark: this chunk is rolled back."""


def next_chunk(batch: ImportBatch) -> int | None:
    """The next row that has anything to write, from the bookmark on; None when there is none."""
    waiting = ImportRow.objects.filter(
        batch=batch, line__gte=batch.next_line, verdict__in=[Verdict.CREATE, Verdict.UPDATE]
    )
    return waiting.aggregate(first=Min("line"))["first"]


def apply_chunk(batch: ImportBatch, first: int, at: datetime) -> None:
    """Write the orders whose first row is among the next 5,000 rows, and move the bookmark behind them.

    Somebody else may write the same customer or order at the same moment: then the chunk is judged once more.
    """
    for attempt in range(1, _TRIES + 1):
        try:
            with sql.patient(seconds=120):
                _write(batch, first, first + CHUNK_ROWS, at)
            break
        except (IntegrityError, OperationalError):
            if attempt == _TRIES:
                raise
    batch.refresh_from_db()


def _write(batch: ImportBatch, first: int, until: int, at: datetime) -> None:
    shop, constants = Shop.current(), batch.mapping.get("constants", {})
    sql.execute("customers/import_chunk", {"batch": batch.pk, "first": first, "until": until})
    sql.execute("customers/import_world", {"source": batch.source, "base": shop.base_currency})
    corrections = _corrections(batch)
    values = {
        "source": batch.source, "at": at, "zone": shop.time_zone,
        "language": constants.get("language") or "en", "country": constants.get("country", ""),
    }  # fmt: skip
    for step in ("people", "orders", "lines"):
        sql.know_sizes()  # each joins what the one before wrote
        sql.execute(f"customers/import_{step}", values)
    here = ImportBatch.objects.filter(pk=batch.pk, state=ImportState.APPLYING, next_line=batch.next_line)
    if not here.update(next_line=until, error="", **corrections):
        raise _Overtaken(batch.pk)


def _corrections(batch: ImportBatch) -> dict[str, Combinable]:
    changes: dict[str, int] = {}
    for row in sql.rows("customers/import_changed"):
        for verdict, sign in ((row["old_verdict"], -1), (row["verdict"], 1)):
            name = _COUNTS[Verdict(verdict)]
            changes[name] = changes.get(name, 0) + sign * row["rows"]
    if changes:
        sql.execute("customers/import_correct", {"batch": batch.pk})
    return {name: F(name) + change for name, change in changes.items() if change}
