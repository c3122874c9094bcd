"""Purchase summaries: one row per customer, recomputed exactly for whom a purchase changed.

The full pass over everybody is in ``rebuild``.
"""

from datetime import date
from decimal import Decimal

from psycopg.sql import Identifier

from crm.common import sql
from customers.models import PurchaseChange

SECONDS = 900
MEMORY_MB = 256


def refresh(*, as_of: date, margin_rate: Decimal) -> int:
    """Recompute the summaries of the customers marked since the last night; returns how many were marked.

    The caller holds the night's lock: two refreshes at once could lose a mark.
    """
    with sql.patient(SECONDS, memory_mb=MEMORY_MB):
        sql.know_sizes()
        marked = sql.execute("ltv/summaries_take")
        sql.execute("ltv/summaries_refresh", {"as_of": as_of, "margin_rate": margin_rate})
        sql.execute("ltv/summaries_keep_marked", {"as_of": as_of})
        sql.execute("ltv/table_drop", parts={"table": Identifier("ltv_changed")})  # not only at the commit
    return marked


def marked_share(customers: int) -> float:
    """Marks waiting in the queue per customer: above 0.4 a full pass is cheaper than a refresh."""
    return PurchaseChange.objects.count() / customers if customers else 0.0
