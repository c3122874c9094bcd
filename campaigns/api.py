"""Campaigns and how they stand; coupons at the till."""

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns import reports
from campaigns.choices import CampaignKind, CampaignStatus, CouponStatus, OfferKind, Trigger
from campaigns.models import Campaign, Coupon
from campaigns.services import coupons
from crm.common.api import idempotent
from crm.common.api_shapes import Amount, Instant, Shape, body, query


class CampaignOut(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(CampaignKind.choices)
    status = serializers.ChoiceField(CampaignStatus.choices)
    trigger = serializers.ChoiceField(Trigger.choices)
    segment = serializers.CharField(source="segment.key")
    control_share = Amount()
    audience_size = serializers.IntegerField()
    created_at = Instant()
    launched_at = Instant(allow_null=True)
    finished_at = Instant(allow_null=True)


class StatesOut(serializers.Serializer):
    """Messages by state; they add up to the audience."""

    campaign = serializers.IntegerField()
    status = serializers.ChoiceField(CampaignStatus.choices)
    audience_size = serializers.IntegerField()
    messages = serializers.DictField(child=serializers.IntegerField())


class CampaignFilter(Shape):
    status = serializers.ChoiceField(CampaignStatus.choices, required=False)


class RedeemIn(Shape):
    code = serializers.CharField(max_length=40)
    order_ref = serializers.CharField(max_length=100)


class CouponOut(serializers.Serializer):
    code = serializers.CharField()
    status = serializers.ChoiceField(CouponStatus.choices)
    customer = serializers.UUIDField(source="customer.public_id")
    order_ref = serializers.CharField(allow_blank=True)
    redeemed_at = Instant(allow_null=True)
    offer = serializers.CharField(source="offer.name")
    kind = serializers.ChoiceField(OfferKind.choices, source="offer.kind")
    value = Amount(source="offer.value")
    currency = serializers.CharField(source="offer.currency", allow_blank=True)
    minimum_basket = Amount(source="offer.minimum_basket")


class Campaigns(generics.ListAPIView):
    """Campaigns, newest first."""

    permission_model = Campaign
    serializer_class = CampaignOut

    def get_queryset(self) -> QuerySet[Campaign]:
        return Campaign.objects.filter(**query(CampaignFilter, self.request)).select_related("segment")

    @extend_schema(operation_id="campaigns_list", parameters=[CampaignFilter])
    def get(self, request: Request) -> Response:
        return self.list(request)


class States(generics.GenericAPIView):
    permission_model = Campaign
    serializer_class = StatesOut

    @extend_schema(operation_id="campaigns_states")
    def get(self, request: Request, pk: int) -> Response:
        """Where a campaign's messages stand."""
        campaign = get_object_or_404(Campaign, pk=pk)
        answer = {
            "campaign": campaign.pk,
            "status": campaign.status,
            "audience_size": campaign.audience_size,
            "messages": reports.states(campaign).by_status,
        }
        return Response(StatesOut(answer).data)


class Redemptions(generics.GenericAPIView):
    permission_model = Coupon
    permission_action = "change"
    serializer_class = CouponOut

    @extend_schema(operation_id="coupons_redeem", request=RedeemIn, responses=CouponOut)
    def post(self, request: Request) -> Response:
        """Use a coupon for an order. The same code for the same order again gets the same answer; a code that is
        unknown, over or used for another order is refused without saying which."""
        sent = body(RedeemIn, request)

        def work() -> tuple[int, dict]:
            return 200, CouponOut(coupons.redeem(at=timezone.now(), **sent)).data

        return idempotent(request, request.path, work)


urlpatterns = [
    path("campaigns/", Campaigns.as_view(), name="api-campaigns"),
    path("campaigns/<int:pk>/states/", States.as_view(), name="api-campaign-states"),
    path("coupons/redeem/", Redemptions.as_view(), name="api-redeem"),
]
