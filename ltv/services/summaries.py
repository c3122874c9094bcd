"""Purchase summaries: one row per customer, recomputed exactly for whom a purchase changed."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from psycopg.sql import Identifier

from crm.common import sql
from customers.models import PurchaseChange

SECONDS = 900
MEMORY_MB = 256


@dataclass(frozen=True)
class Rebuilt:
    """What a full pass found: rows that differed from what was stored, and stored rows of nobody."""

    corrected: int
    gone: int


def refresh(*, as_of: date, margin_rate: Decimal) -> int:
    """Recompute the summaries of the customers marked since the last night; returns how many were marked.

    The caller holds the night's lock: two refreshes at once could lose a mark.
    """
    with sql.patient(SECONDS, memory_mb=MEMORY_MB):
        sql.know_sizes()
        marked = sql.execute("ltv/summaries_take")
        sql.execute("ltv/summaries_refresh", {"as_of": as_of, "margin_rate": margin_rate})
        _finish("ltv_changed", as_of)
    return marked


def rebuild(*, as_of: date, margin_rate: Decimal) -> Rebuilt:
    """Recompute every summary in one ordered pass, writing only what differs: first load, and a weekly audit."""
    with sql.patient(SECONDS, memory_mb=MEMORY_MB):
        sql.know_sizes()
        sql.execute("ltv/summaries_take")
        sql.execute("ltv/summaries_all", {"as_of": as_of, "margin_rate": margin_rate})
        gone = sql.execute("ltv/summaries_drop_gone")
        corrected = sql.execute("ltv/summaries_correct")
        _finish("ltv_changed", as_of)
        sql.execute("ltv/table_drop", parts={"table": Identifier("ltv_all")})
    return Rebuilt(corrected=corrected, gone=gone)


def _finish(temporary: str, as_of: date) -> None:
    """Purchases left out stay marked; the temporary table goes now, not only at the outermost commit."""
    sql.execute("ltv/summaries_keep_marked", {"as_of": as_of})
    sql.execute("ltv/table_drop", parts={"table": Identifier(temporary)})


def marked_share(customers: int) -> float:
    """Marks waiting in the queue per customer: above 0.4 a full pass is cheaper than a refresh."""
    return PurchaseChange.objects.count() / customers if customers else 0.0
