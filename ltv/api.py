"""What customers are worth, as of the last night."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from crm.common.api_access import CursorPages
from crm.common.api_shapes import Amount, Shape, query
from crm.common.models import Shop
from ltv.models import CustomerLtv
from ltv.reports import ValueCard
from ltv.services.today import value_today


class LtvOut(serializers.Serializer):
    """Money in ``currency``; predictions are empty for who never bought."""

    customer = serializers.UUIDField(source="customer.public_id")
    as_of = serializers.DateField(source="run.as_of")
    currency = serializers.CharField(source="run.currency")
    orders = serializers.IntegerField()
    frequency = serializers.IntegerField()
    recency_days = serializers.IntegerField(allow_null=True)
    age_days = serializers.IntegerField(allow_null=True)
    revenue = Amount()
    margin = Amount()
    average_purchase = Amount(allow_null=True)
    purchases_per_month = serializers.FloatField(allow_null=True)
    formula_ltv = Amount(allow_null=True)
    margin_clv = Amount(allow_null=True)
    channel_cac = Amount(allow_null=True)
    ltv_to_cac = serializers.FloatField(allow_null=True)
    expected_purchases = serializers.FloatField(allow_null=True)
    expected_value = Amount(allow_null=True)
    expected_value_low = Amount(allow_null=True)
    expected_value_high = Amount(allow_null=True)
    clv = Amount()
    p_alive = serializers.FloatField(allow_null=True)
    p_no_purchase = serializers.FloatField(allow_null=True)
    next_purchase_on = serializers.DateField(allow_null=True)


class OneLtvOut(LtvOut):
    """Purchases since the night are counted already; ``updated_on`` is then the last day in the figures."""

    updated_on = serializers.DateField(allow_null=True)


class LtvFilter(Shape):
    min_clv = Amount(required=False)
    min_p_no_purchase = serializers.FloatField(min_value=0, max_value=1, required=False)


class LtvPages(CursorPages):
    ordering = ("-customer_id",)


def _figures() -> QuerySet[CustomerLtv]:
    return CustomerLtv.objects.select_related("customer", "run")


class Values(generics.ListAPIView):
    """Every customer's figures in the current run: yesterday whole, then today whole."""

    permission_model = CustomerLtv
    serializer_class = LtvOut
    pagination_class = LtvPages

    def get_queryset(self) -> QuerySet[CustomerLtv]:
        lookups = {"min_clv": "clv__gte", "min_p_no_purchase": "p_no_purchase__gte"}
        asked: dict[str, Any] = query(LtvFilter, self.request)
        return _figures().filter(**{lookups[name]: value for name, value in asked.items()})

    @extend_schema(operation_id="ltv_list", parameters=[LtvFilter])
    def get(self, request: Request) -> Response:
        return self.list(request)


class OneValue(generics.GenericAPIView):
    permission_model = CustomerLtv
    serializer_class = OneLtvOut

    @extend_schema(operation_id="ltv_retrieve")
    def get(self, request: Request, public_id: UUID) -> Response:
        """One customer's figures, with today's purchases. 404 until the night after they became known."""
        night = get_object_or_404(_figures(), customer__public_id=public_id)
        card = ValueCard(night.run, night)
        card = value_today(card, Shop.current().business_date(timezone.now())) or card
        figures = card.figures
        figures.customer, figures.run = night.customer, night.run
        figures.updated_on = card.updated_on  # type: ignore[attr-defined]
        return Response(OneLtvOut(figures).data)


urlpatterns = [
    path("ltv/", Values.as_view(), name="api-ltv"),
    path("customers/<uuid:public_id>/ltv/", OneValue.as_view(), name="api-customer-ltv"),
]
