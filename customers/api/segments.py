"""Segments and who is in them."""

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from crm.common.api_shapes import Instant
from customers.choices import SegmentStatus
from customers.models import Customer, Segment, SegmentMembership


class SegmentOut(serializers.Serializer):
    key = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    status = serializers.ChoiceField(SegmentStatus.choices)
    rule = serializers.JSONField()
    rule_version = serializers.IntegerField()
    member_count = serializers.IntegerField()
    evaluated_at = Instant(allow_null=True)


class MemberOut(serializers.Serializer):
    customer = serializers.UUIDField(source="customer.public_id")
    external_id = serializers.CharField(source="customer.external_id", allow_null=True)
    name = serializers.CharField(source="customer.name")
    email = serializers.CharField(source="customer.email", allow_blank=True)
    entered_at = Instant()


class Segments(generics.ListAPIView):
    """Segments with the size they had when they were last evaluated."""

    permission_model = Segment
    serializer_class = SegmentOut

    def get_queryset(self) -> QuerySet[Segment]:
        return Segment.objects.all()

    @extend_schema(operation_id="segments_list")
    def get(self, request: Request) -> Response:
        return self.list(request)


class Members(generics.ListAPIView):
    """Who is in a segment now, and since when."""

    permission_model = Customer
    serializer_class = MemberOut

    def get_queryset(self) -> QuerySet[SegmentMembership]:
        segment = get_object_or_404(Segment, key=self.kwargs["key"])
        return SegmentMembership.objects.filter(segment=segment, left_at=None).select_related("customer")

    @extend_schema(operation_id="segments_members")
    def get(self, request: Request, key: str) -> Response:
        return self.list(request)
