"""How orders are checked and stored, one or a thousand: the same few statements. Used by ``purchases``."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NotRequired, TypedDict

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.common import money, sql
from crm.common.errors import InvalidInput
from crm.common.models import Shop
from customers.core.addresses import NotAnAddress, normalise_email
from customers.models import Customer, FormerRecord, Product, Purchase, PurchaseLine
from customers.services import checks

CREATED, SAME, OTHER = "created", "same", "other"
HIGHEST = Decimal(10) ** 12
MOST_LINES = 500


class Line(TypedDict):
    """One line of an order. ``amount`` is the line's total in the order's currency."""

    sku: str
    quantity: Decimal
    amount: Decimal
    name: NotRequired[str]
    category: NotRequired[str]


@dataclass(frozen=True)
class Order:
    """A checked order, ready to be stored."""

    customer_id: int
    external_id: str
    amount: Decimal
    currency: str
    purchased_at: datetime
    cost: Decimal | None
    sales_channel: str
    lines: tuple[Line, ...]

    @property
    def facts(self) -> tuple[object, ...]:
        """What makes two orders with one id the same order."""
        return self.customer_id, self.amount, self.currency, self.purchased_at


def check_source(source: str) -> str:
    """The name of the shop system that order ids belong to. Raises InvalidInput."""
    return checks.line(source, "source", 40, required=True)


def check(row: Mapping[str, Any], *, customer_id: int, at: datetime) -> Order:
    """The order a row describes. Raises InvalidInput."""
    currency = check_currency(row.get("currency"))
    cost = row.get("cost")
    return Order(
        customer_id=customer_id,
        external_id=checks.line(row.get("external_id"), "external_id", 100, required=True),
        amount=check_amount(row.get("amount"), currency, "amount"),
        currency=currency,
        purchased_at=checks.past(row.get("purchased_at"), "purchased_at", at),
        cost=None if cost is None else check_amount(cost, currency, "cost"),
        sales_channel=checks.line(row.get("sales_channel", ""), "sales_channel", 40),
        lines=_lines(row.get("lines", ()), currency),
    )


def check_currency(value: object) -> str:
    """A code such as KRW. Raises InvalidInput."""
    if not isinstance(value, str) or value not in money.currencies():
        raise InvalidInput(_("This is not a currency code such as USD."), field="currency")
    return value


def check_amount(value: object, currency: str, field: str, *, least: Decimal = Decimal(0)) -> Decimal:
    """An amount as fine as its currency allows. Raises InvalidInput."""
    if not isinstance(value, Decimal) or not value.is_finite() or not least <= value < HIGHEST:
        raise InvalidInput(_("This must be an amount of at least %s.") % least, field=field)
    exact = money.quantize(value, currency)
    if exact != value:
        raise InvalidInput(_("%s does not have that many decimals.") % currency, field=field)
    return abs(exact)  # -0 is 0


def _lines(lines: Sequence[Mapping[str, Any]], currency: str) -> tuple[Line, ...]:
    if len(lines) > MOST_LINES:
        raise InvalidInput(_("These are too many lines for one order."), field="lines")
    return tuple(_line(line, currency) for line in lines)


def _line(line: Mapping[str, Any], currency: str) -> Line:
    sku = checks.line(line.get("sku"), "lines.sku", 80, required=True)
    quantity = line.get("quantity")
    thousandth = Decimal("0.001")
    if (
        not isinstance(quantity, Decimal)
        or not quantity.is_finite()
        or not thousandth <= quantity < 10**9
        or quantity != quantity.quantize(thousandth)
    ):
        raise InvalidInput(_("A quantity is above 0, with at most three decimals."), field="lines.quantity")
    return Line(
        sku=sku,
        quantity=quantity,
        amount=check_amount(line.get("amount"), currency, "lines.amount"),
        name=checks.line(line.get("name", ""), "lines.name", 200) or sku,
        category=checks.line(line.get("category", ""), "lines.category", 80),
    )


@dataclass(frozen=True)
class KnownCustomers:
    """The customers that a batch of rows names."""

    by_public_id: Mapping[uuid.UUID, int]
    by_external_id: Mapping[str, int]
    by_address: Mapping[str, int]

    def of(self, row: Mapping[str, Any]) -> int:
        """Whose row it is. Raises InvalidInput: nobody's."""
        if row.get("customer"):
            field, found = "customer", self.by_public_id.get(row["customer"])
        elif row.get("customer_external_id"):
            field, found = (
                "customer_external_id",
                self.by_external_id.get(row["customer_external_id"]),
            )
        elif row.get("email"):
            field, found = "email", self.by_address.get(_normal(row["email"]) or "")
        else:
            raise InvalidInput(_("Say whose order it is."), field="customer")
        if found is None:
            raise InvalidInput(_("There is no such customer."), field=field)
        return found


def resolve_customers(rows: Sequence[Mapping[str, Any]]) -> KnownCustomers:
    """Who the rows name, also by what a merged record was known by; two queries."""
    public_ids = {row["customer"] for row in rows if row.get("customer")}
    external_ids = {row["customer_external_id"] for row in rows if row.get("customer_external_id")}
    addresses = {_normal(row["email"]) for row in rows if row.get("email")} - {None}
    named = Q(public_id__in=public_ids) | Q(external_id__in=external_ids) | Q(email_normalised__in=addresses)
    names = ("public_id", "external_id", "email_normalised")
    found = [
        *FormerRecord.objects.filter(named).values_list("customer_id", *names),
        *Customer.objects.filter(named).values_list(
            "pk", *names
        ),  # last: who has it now goes before who had it
    ]
    return KnownCustomers(
        {public_id: pk for pk, public_id, _ext, _address in found},
        {external_id: pk for pk, _public, external_id, _address in found if external_id},
        {address: pk for pk, _public, _ext, address in found if address},
    )


def _normal(email: str) -> str | None:
    try:
        return normalise_email(email)
    except NotAnAddress:
        return None


def store(orders: Sequence[Order], *, source: str, at: datetime) -> list[str]:
    """Store what is new; CREATED, SAME or OTHER for each order, in order. Call it inside a transaction."""
    first: dict[str, Order] = {}
    for order in orders:
        first.setdefault(order.external_id, order)
    created = _insert(list(first.values()), source, at) if first else {}
    _insert_lines(first, created)
    stored = _stored(source, first.keys() - created.keys())
    outcomes = []
    for order in orders:
        facts = first[order.external_id].facts if order.external_id in created else stored[order.external_id]
        if order.facts != facts:
            outcomes.append(OTHER)
        elif order.external_id in created and order is first[order.external_id]:
            outcomes.append(CREATED)
        else:
            outcomes.append(SAME)
    return outcomes


def _insert(orders: list[Order], source: str, at: datetime) -> dict[str, int]:
    shop = Shop.current()
    params = {
        "source": source,
        "base": shop.base_currency,
        "zone": shop.time_zone,
        "at": at,
        "customers": [order.customer_id for order in orders],
        "external_ids": [order.external_id for order in orders],
        "times": [order.purchased_at for order in orders],
        "amounts": [order.amount for order in orders],
        "currencies": [order.currency for order in orders],
        "costs": [order.cost for order in orders],
        "channels": [order.sales_channel for order in orders],
    }
    return {row["external_id"]: row["id"] for row in sql.rows("customers/purchases_insert", params)}


def _stored(source: str, external_ids: set[str]) -> dict[str, tuple[object, ...]]:
    """The facts of orders that were there before us, also of those another transaction has just committed."""
    if not external_ids:
        return {}
    rows = Purchase.objects.filter(source=source, external_id__in=external_ids)
    return {
        external_id: facts
        for external_id, *facts_ in rows.values_list(
            "external_id", "customer_id", "amount", "currency", "purchased_at"
        )
        for facts in [tuple(facts_)]
    }


def _insert_lines(orders: Mapping[str, Order], created: Mapping[str, int]) -> None:
    lines = [
        (purchase_id, position, line)
        for external_id, purchase_id in created.items()
        for position, line in enumerate(orders[external_id].lines, 1)
    ]
    if not lines:
        return
    products = _products([line for _purchase, _position, line in lines])
    PurchaseLine.objects.bulk_create(
        PurchaseLine(
            purchase_id=purchase_id,
            position=position,
            product_id=products[line["sku"]],
            quantity=line["quantity"],
            amount=line["amount"],
        )
        for purchase_id, position, line in lines
    )


def _products(lines: Sequence[Line]) -> dict[str, int]:
    """The products sold, made where they are new; one that is known keeps its name."""
    new = {line["sku"]: line for line in lines}
    Product.objects.bulk_create(
        (
            Product(sku=sku, name=line.get("name", sku), category=line.get("category", ""))
            for sku, line in sorted(new.items())
        ),
        ignore_conflicts=True,
    )
    return dict(Product.objects.filter(sku__in=new).values_list("sku", "pk"))
