"""One customer's story and habits, and what cannot be counted yet."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache

from crm.common import money, sql
from crm.common.models import Shop
from customers.core import timeline
from customers.core.timeline import KINDS, TimelineItem, Told


@dataclass(frozen=True)
class ProductBought:
    """A product in one customer's orders."""

    sku: str
    name: str
    category: str
    orders: int
    quantity: Decimal
    last_on: date


@dataclass(frozen=True)
class MonthTotal:
    """One calendar month of the shop. ``revenue`` in base currency, net of refunds."""

    month: date
    orders: int
    revenue: Decimal


@dataclass(frozen=True)
class Habits:
    """How one customer buys. Money in ``currency``, net of refunds; purchases without a rate are only counted."""

    currency: str
    orders: int
    without_rate: int
    refunded_orders: int
    first_on: date | None
    last_on: date | None
    revenue: Decimal
    average_order: Decimal | None
    items_per_order: float | None
    typical_gap_days: float | None  # median between two purchase days; None before the second
    sales_channel: str  # where they buy most
    products: tuple[ProductBought, ...]
    months: tuple[MonthTotal, ...]


@dataclass(frozen=True)
class MissingRate:
    """A currency whose purchases are counted nowhere. ``amount`` in that currency."""

    currency: str
    purchases: int
    amount: Decimal
    first_on: date
    last_on: date


def habits(customer_id: int, *, today: date, months: int = 12, products: int = 5) -> Habits:
    """How a customer bought until ``today``, the shop's calendar day: four queries whatever their history."""
    currency = Shop.current().base_currency
    [found] = sql.rows("customers/habits_summary", {"customer": customer_id})
    bought = sql.rows("customers/habits_products", {"customer": customer_id, "limit": products})
    last = today.replace(day=1)
    span = {"customer": customer_id, "first": _months_before(last, months - 1), "last": last}
    counted = found["counted"]
    return Habits(
        currency=currency,
        orders=found["orders"],
        without_rate=found["without_rate"],
        refunded_orders=found["refunded_orders"],
        first_on=found["first_on"],
        last_on=found["last_on"],
        revenue=found["revenue"],
        average_order=money.quantize(found["revenue"] / counted, currency) if counted else None,
        items_per_order=found["items"],
        typical_gap_days=found["gap"],
        sales_channel=found["sales_channel"] or "",
        products=tuple(ProductBought(**row) for row in bought),
        months=tuple(MonthTotal(**row) for row in sql.rows("customers/habits_months", span)),
    )


def missing_rates() -> list[MissingRate]:
    """The currencies staff must give a rate for, most purchases first."""
    return [MissingRate(**row) for row in sql.rows("customers/rates_missing")]


def _months_before(month: date, count: int) -> date:
    years, index = divmod(month.year * 12 + month.month - 1 - count, 12)
    return date(years, index + 1, 1)


def story(
    customer_id: int,
    *,
    before: datetime | None = None,
    limit: int = 50,
    kinds: Collection[str] = KINDS,
) -> list[TimelineItem]:
    """The newest ``limit`` things before an instant, newest first, in one statement; ties in the order of their keys.

    What happened at one instant stays on one page even above ``limit``: the next page starts strictly before it.
    """
    tellers = timeline.tellers(kinds)
    if not tellers:
        return []
    params = {"customer": customer_id, "before": before or "infinity", "limit": limit, "kinds": list(kinds)}
    found = [Told(*row) for row in sql.prepared(_statement(*(teller.query for teller in tellers)), params)]
    words = {what: say for teller in tellers for what, say in teller.words.items()}
    told = sorted((words[one.what](one) for one in found), key=lambda item: item.key)
    return sorted(told, key=lambda item: item.at, reverse=True)


@cache
def _statement(*queries: str) -> str:
    return sql.written("customers/story", {"tellers": sql.union(queries)})
