"""Purchases and refunds: recorded once, however often they are sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from crm.common import money
from crm.common.errors import DomainError, InvalidInput
from customers import events
from customers.models import Customer, Purchase, Refund
from customers.services import checks, orders
from customers.services.orders import Line, Order

__all__ = ["BulkResult", "Line", "record_purchase", "record_purchases", "refund"]


class DuplicateOrder(DomainError):
    """The order id exists in this source with another customer, amount, currency or time."""

    code = "duplicate_order"
    message = _("This order id exists already with other facts.")


class RefundTooLarge(DomainError):
    """More than what is left of the purchase; ``detail["left"]`` is what could be refunded."""

    code = "refund_too_large"
    message = _("This is more than what is left of the purchase.")


class DuplicateRefund(DomainError):
    """The refund id exists for this purchase with another amount."""

    code = "duplicate_refund"
    message = _("This refund id exists already with another amount.")


@dataclass(frozen=True)
class BulkResult:
    """What became of the rows. ``errors``: ``{"index", "field", "code", "message"}``, the rest are stored."""

    created: int = 0
    same: int = 0
    errors: list[dict[str, Any]] = field(default_factory=list)


@transaction.atomic
def record_purchase(
    *,
    customer: Customer,
    source: str,
    external_id: str,
    amount: Decimal,
    currency: str,
    purchased_at: datetime,
    at: datetime,
    lines: Sequence[Line] = (),
    cost: Decimal | None = None,
    sales_channel: str = "",
) -> tuple[Purchase, bool]:
    """Record one paid order; returns it, and whether it is new. Recording it twice is harmless.

    ``cost`` is in the purchase's currency. Sends ``purchase_recorded`` for a new one.

    Raises:
        InvalidInput: a value is malformed; ``detail["field"]`` names it.
        DuplicateOrder: ``external_id`` exists in ``source`` with other facts.
    """
    row = {
        "external_id": external_id, "amount": amount, "currency": currency, "purchased_at": purchased_at,
        "lines": lines, "cost": cost, "sales_channel": sales_channel,
    }  # fmt: skip
    order = orders.check(row, customer_id=customer.pk, at=at)
    [outcome] = orders.store([order], source=orders.check_source(source), at=at)
    if outcome == orders.OTHER:
        raise DuplicateOrder(external_id=order.external_id)
    purchase = Purchase.objects.get(source=source, external_id=order.external_id)
    if outcome == orders.CREATED:
        events.purchase_recorded.send(sender=None, purchase=purchase, at=at)
    return purchase, outcome == orders.CREATED


@transaction.atomic
def record_purchases(*, rows: Sequence[Mapping[str, Any]], source: str, at: datetime) -> BulkResult:
    """Record many orders in a constant number of statements: every valid row is stored, others are named.

    A row is a mapping like the arguments of ``record_purchase``, with the customer named by one of
    ``customer`` (public id), ``customer_external_id`` and ``email``. Sends no event: who follows many purchases
    reads them.

    Raises:
        InvalidInput: the source is malformed. What is wrong with a row is in the result.
    """
    source = orders.check_source(source)
    known = orders.resolve_customers(rows)
    good: list[tuple[int, Order]] = []
    errors: list[dict[str, Any]] = []
    for index, row in enumerate(rows):
        try:
            good.append((index, orders.check(row, customer_id=known.of(row), at=at)))
        except InvalidInput as refusal:
            errors.append(_row_error(index, refusal))
    outcomes = orders.store([order for _index, order in good], source=source, at=at)
    for (index, order), outcome in zip(good, outcomes, strict=True):
        if outcome == orders.OTHER:
            errors.append(_row_error(index, DuplicateOrder(field="external_id", id=order.external_id)))
    errors.sort(key=lambda error: error["index"])
    return BulkResult(outcomes.count(orders.CREATED), outcomes.count(orders.SAME), errors)


def _row_error(index: int, refusal: DomainError) -> dict[str, Any]:
    return {
        "index": index,
        "field": refusal.detail.get("field", ""),
        "code": refusal.code,
        "message": str(refusal.text),
    }


@transaction.atomic
def refund(
    *,
    purchase: Purchase,
    external_id: str,
    amount: Decimal,
    refunded_at: datetime,
    at: datetime,
    reason: str = "",
) -> Refund:
    """Give money of a purchase back. Recording the same refund twice is harmless; none is ever changed.

    Raises:
        InvalidInput: malformed, or dated before the purchase.
        DuplicateRefund: ``external_id`` exists for this purchase with another amount.
        RefundTooLarge: more than what earlier refunds left.
    """
    external_id = checks.line(external_id, "external_id", 100, required=True)
    stored = Purchase.objects.select_for_update(no_key=True).get(pk=purchase.pk)
    amount = orders.check_amount(amount, stored.currency, "amount", least=_smallest(stored.currency))
    known = Refund.objects.filter(purchase=stored, external_id=external_id).first()
    if known:
        if known.amount != amount:
            raise DuplicateRefund(external_id=external_id)
        return known
    if checks.past(refunded_at, "refunded_at", at) < stored.purchased_at:
        raise InvalidInput(_("A refund cannot be earlier than its purchase."), field="refunded_at")
    left = stored.amount - stored.refunded
    if amount > left:
        raise RefundTooLarge(left=str(money.quantize(left, stored.currency)), currency=stored.currency)
    reason = checks.line(reason, "reason", 200)
    return Refund.objects.create(
        purchase=stored, external_id=external_id, amount=amount, refunded_at=refunded_at, reason=reason
    )


def _smallest(currency: str) -> Decimal:
    return Decimal(1).scaleb(-money.minor_digits(currency))
