"""Purchase summaries: one row per customer, recomputed exactly for whom a purchase changed.

The full pass over everybody is in ``rebuild``.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from psycopg.sql import Identifier

from crm.common import sql
from customers.models import PurchaseChange
from ltv.models import LtvRun

SECONDS = 900
MEMORY_MB = 256


@dataclass(frozen=True)
class Since:
    """The published run that changes are counted from: until when it knew of refunds, and its margin rate."""

    cut: datetime
    margin_rate: Decimal


def since(previous: LtvRun | None) -> Since | None:
    """None where there is no run to count from."""
    return Since(previous.cut_at, previous.margin_rate) if previous and previous.cut_at else None


def refresh(*, as_of: date, margin_rate: Decimal, since: Since | None = None) -> int:
    """Recompute the summaries of the customers marked since the last night; returns how many were marked.

    All of it sees one moment of the ledger: the summaries and the days add up to the same sum whatever is being
    written meanwhile. With ``since`` what the run before knew of these customers is kept, for the reasons of
    change. The caller holds the night's lock: two refreshes at once could lose a mark.
    """
    with sql.patient(SECONDS, memory_mb=MEMORY_MB, snapshot=True):
        sql.know_sizes()
        marked = sql.execute("ltv/summaries_take")
        if since:
            sql.execute("ltv/summaries_before")
            sql.execute("ltv/summaries_count")
        sql.execute("ltv/summaries_refresh", {"as_of": as_of, "margin_rate": margin_rate})
        if since:
            sql.execute(
                "ltv/summaries_kept", {"as_of": as_of, "margin_rate": since.margin_rate, "cut": since.cut}
            )
        sql.execute("ltv/days_fold")
        sql.execute("ltv/summaries_keep_marked", {"as_of": as_of})
        sql.execute("ltv/table_drop", parts={"table": Identifier("ltv_changed")})  # not only at the commit
    return marked


def correct_days() -> int:
    """Add up every day of the ledger anew; returns how many differed: first load, and the weekly audit."""
    with sql.patient(SECONDS, memory_mb=MEMORY_MB, snapshot=True):
        sql.execute("ltv/days_fold")
        return sql.execute("ltv/days_correct")


def marked_share(customers: int) -> float:
    """Marks waiting in the queue per customer: above 0.4 a full pass is cheaper than a refresh."""
    return PurchaseChange.objects.count() / customers if customers else 0.0
