"""Purchases and refunds: sent in bulk as often as the sender likes, stored once."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from crm.common.api import idempotent
from crm.common.api_shapes import Amount, Instant, Shape, body, query
from customers.api.people import CustomerRef
from customers.models import Purchase, Refund
from customers.services import purchases

MOST_ROWS = 1000


class LineIn(Shape):
    sku = serializers.CharField(max_length=80)
    quantity = Amount()
    amount = Amount()
    name = serializers.CharField(max_length=200, allow_blank=True, required=False)
    category = serializers.CharField(max_length=80, allow_blank=True, required=False)


class PurchaseIn(Shape):
    """One paid order. Whose: one of customer (public id), customer_external_id and email."""

    external_id = serializers.CharField(max_length=100)
    amount = Amount()
    currency = serializers.RegexField(r"^[A-Z]{3}$")
    purchased_at = Instant()
    customer = serializers.UUIDField(required=False)
    customer_external_id = serializers.CharField(max_length=100, required=False)
    email = serializers.CharField(max_length=254, required=False)
    cost = Amount(required=False, allow_null=True)
    sales_channel = serializers.CharField(max_length=40, allow_blank=True, required=False)
    lines = LineIn(many=True, required=False)


class RowErrorOut(serializers.Serializer):
    index = serializers.IntegerField()
    field = serializers.CharField(allow_blank=True)
    code = serializers.CharField()
    message = serializers.CharField()


class BulkOut(serializers.Serializer):
    created = serializers.IntegerField()
    same = serializers.IntegerField()
    errors = RowErrorOut(many=True)  # type: ignore[assignment]


class BulkSchema(Shape):
    """The bulk body as documented; ``BulkIn`` reads it without looking into the rows."""

    source = serializers.CharField(max_length=40)  # type: ignore[assignment]
    purchases = serializers.ListField(child=PurchaseIn(), min_length=1, max_length=MOST_ROWS)


class BulkIn(Shape):
    source = serializers.CharField(max_length=40)  # type: ignore[assignment]
    purchases = serializers.ListField(child=serializers.DictField(), min_length=1, max_length=MOST_ROWS)


class PurchaseOut(serializers.Serializer):
    source = serializers.CharField()  # type: ignore[assignment]
    external_id = serializers.CharField()
    customer = serializers.UUIDField(source="customer.public_id")
    purchased_at = Instant()
    purchased_on = serializers.DateField()
    amount = Amount()
    currency = serializers.CharField()
    refunded = Amount()
    cost = Amount(allow_null=True)
    rate = Amount(allow_null=True)
    base_amount = Amount(allow_null=True)
    base_cost = Amount(allow_null=True)
    sales_channel = serializers.CharField(allow_blank=True)


class PurchaseFilter(Shape):
    customer = CustomerRef(required=False)
    source = serializers.CharField(max_length=40, required=False)  # type: ignore[assignment]
    external_id = serializers.CharField(max_length=100, required=False)
    since = Instant(required=False)
    until = Instant(required=False)


class RefundIn(Shape):
    source = serializers.CharField(max_length=40)  # type: ignore[assignment]
    order = serializers.CharField(max_length=100)
    external_id = serializers.CharField(max_length=100)
    amount = Amount()
    refunded_at = Instant()
    reason = serializers.CharField(max_length=200, allow_blank=True, required=False)


class RefundOut(serializers.Serializer):
    source = serializers.CharField(source="purchase.source")  # type: ignore[assignment]
    order = serializers.CharField(source="purchase.external_id")
    external_id = serializers.CharField()
    amount = Amount()
    currency = serializers.CharField(source="purchase.currency")
    refunded_at = Instant()
    reason = serializers.CharField(allow_blank=True)


class Purchases(generics.ListAPIView):
    """Purchases, last recorded first."""

    permission_model = Purchase
    serializer_class = PurchaseOut

    def get_queryset(self) -> QuerySet[Purchase]:
        asked = query(PurchaseFilter, self.request)
        lookups = {"since": "purchased_at__gte", "until": "purchased_at__lt"}
        return Purchase.objects.select_related("customer").filter(
            **{lookups.get(name, name): value for name, value in asked.items()}
        )

    @extend_schema(operation_id="purchases_list", parameters=[PurchaseFilter])
    def get(self, request: Request) -> Response:
        return self.list(request)

    @extend_schema(operation_id="purchases_record", request=BulkSchema, responses=BulkOut)
    def post(self, request: Request) -> Response:
        """Record up to 1,000 paid orders. Every valid row is stored; ``errors`` names the others by index.

        Sending the same orders again changes nothing: they are counted as ``same``.
        """
        sent = body(BulkIn, request)
        rows, refused = _read(sent["purchases"])

        def work() -> tuple[int, dict]:
            done = purchases.record_purchases(
                rows=list(rows.values()), source=sent["source"], at=timezone.now()
            )
            return 200, BulkOut(_in_the_senders_order(done, list(rows), refused)).data

        return idempotent(request, request.path, work)


def _read(sent: list[Mapping[str, Any]]) -> tuple[dict[int, dict[str, Any]], list[dict[str, Any]]]:
    """The rows that have the shape of a purchase, by index, and what is wrong with the others."""
    shape = PurchaseIn()
    rows, refused = {}, []
    for index, row in enumerate(sent):
        try:
            rows[index] = dict(shape.run_validation(row))
        except serializers.ValidationError as error:
            refused.append({"index": index, "code": "invalid_input", **_first(error.detail)})
    return rows, refused


def _first(detail: Any, field: str = "") -> dict[str, str]:
    """The first thing wrong with a row, its field written like ``lines.amount``."""
    if isinstance(detail, dict):
        name, inner = next(iter(detail.items()))
        return _first(inner, f"{field}.{name}".strip(".") if isinstance(name, str) else field)
    if isinstance(detail, list):
        return _first(next((part for part in detail if part), ""), field)
    return {"field": field, "message": str(detail)}


def _in_the_senders_order(
    done: purchases.BulkResult, places: list[int], refused: list[dict[str, Any]]
) -> dict[str, Any]:
    errors = [{**error, "index": places[error["index"]]} for error in done.errors] + refused
    return {
        "created": done.created,
        "same": done.same,
        "errors": sorted(errors, key=lambda error: error["index"]),
    }


class Refunds(generics.GenericAPIView):
    permission_model = Refund
    serializer_class = RefundOut

    @extend_schema(operation_id="refunds_record", request=RefundIn, responses={201: RefundOut})
    def post(self, request: Request) -> Response:
        """Give back money of an order, all or part of it. Sending the same refund again changes nothing."""
        sent = body(RefundIn, request)
        purchase = get_object_or_404(Purchase, source=sent.pop("source"), external_id=sent.pop("order"))

        def work() -> tuple[int, dict]:
            made = purchases.refund(purchase=purchase, at=timezone.now(), **sent)
            return 201, RefundOut(made).data

        return idempotent(request, request.path, work)
