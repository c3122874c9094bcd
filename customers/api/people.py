"""Customers: found, made known, read and corrected. The outside names them by ``public_id``."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from crm.common.api import idempotent
from crm.common.api_access import caller
from crm.common.api_shapes import Instant, Shape, body, query
from customers.choices import Language
from customers.core.addresses import NotAnAddress, normalise_email
from customers.models import AcquisitionChannel, Customer, Segment
from customers.services import erasure, merging, people


@extend_schema_field({"type": "string", "format": "uuid"})
class CustomerRef(serializers.Field):
    """A customer named by public id."""

    default_error_messages = {"unknown": _("There is no such customer.")}

    def to_internal_value(self, data: Any) -> Customer:
        public_id = serializers.UUIDField().to_internal_value(data)
        customer = _known_as(Customer.objects.all(), public_id)
        if customer is None:
            self.fail("unknown")
        return customer


@extend_schema_field({"type": "string"})
class ChannelRef(serializers.Field):
    """An acquisition channel named by code."""

    default_error_messages = {"unknown": _("There is no such channel.")}

    def to_internal_value(self, data: Any) -> AcquisitionChannel:
        code = serializers.CharField().to_internal_value(data)
        channel = AcquisitionChannel.objects.filter(code=code).first()
        if channel is None:
            self.fail("unknown")
        return channel


@extend_schema_field({"type": "string", "format": "email"})
class Address(serializers.CharField):
    """An e-mail address in the form it is compared by."""

    default_error_messages = {"not_one": _("This is not one e-mail address.")}

    def to_internal_value(self, data: Any) -> str:
        try:
            return normalise_email(super().to_internal_value(data))
        except NotAnAddress:
            self.fail("not_one")


class CustomerChange(Shape):
    name = serializers.CharField(max_length=160)
    given_name = serializers.CharField(max_length=80, allow_blank=True, required=False)
    family_name = serializers.CharField(max_length=80, allow_blank=True, required=False)
    email = serializers.CharField(max_length=254, allow_blank=True, required=False)
    phone = serializers.CharField(max_length=32, allow_blank=True, required=False)
    language = serializers.ChoiceField(Language.choices, required=False)
    time_zone = serializers.CharField(max_length=40, required=False)
    country = serializers.RegexField(r"^([A-Z]{2})?$", allow_blank=True, required=False)
    external_id = serializers.CharField(max_length=100, allow_null=True, required=False)
    channel = ChannelRef(allow_null=True, required=False)
    acquired_at = Instant(required=False)
    referred_by = CustomerRef(allow_null=True, required=False)


class CustomerOut(serializers.Serializer):
    public_id = serializers.UUIDField()
    external_id = serializers.CharField(allow_null=True)
    name = serializers.CharField()
    given_name = serializers.CharField(allow_blank=True)
    family_name = serializers.CharField(allow_blank=True)
    email = serializers.CharField(allow_blank=True)
    phone = serializers.CharField(allow_blank=True)
    language = serializers.ChoiceField(Language.choices)
    time_zone = serializers.CharField()
    country = serializers.CharField(allow_blank=True)
    channel = serializers.CharField(source="channel.code", allow_null=True, read_only=True)
    acquired_at = Instant()
    referred_by = serializers.UUIDField(source="referred_by.public_id", allow_null=True, read_only=True)
    created_at = Instant()
    updated_at = Instant()


class CustomerFilter(Shape):
    search = serializers.CharField(min_length=2, max_length=100, required=False)
    external_id = serializers.CharField(max_length=100, required=False)
    email = Address(max_length=254, required=False)
    segment = serializers.SlugRelatedField(
        slug_field="key", queryset=Segment.objects.all(), required=False, help_text=_("The segment's key.")
    )


def find(public_id: UUID, customers: QuerySet[Customer] | None = None) -> Customer:
    """The customer of an address below /customers/, also of a record merged into another, or 404."""
    found = _known_as(Customer.objects.all() if customers is None else customers, public_id)
    if found is None:
        raise Http404
    return found


def _known_as(customers: QuerySet[Customer], public_id: UUID) -> Customer | None:
    """Whose public id it is, else whose it became when two records were merged."""
    now = customers.filter(public_id=public_id).first()
    return now or customers.filter(former_records__public_id=public_id).first()


class People(generics.ListAPIView):
    """Customers, newest first; found by part of a name or address, or exactly by external id or address."""

    permission_model = Customer
    serializer_class = CustomerOut

    def get_queryset(self) -> QuerySet[Customer]:
        asked = query(CustomerFilter, self.request)
        rows = Customer.objects.select_related("channel", "referred_by")
        if "search" in asked:
            rows = rows.search(asked["search"])
        if "external_id" in asked:
            rows = rows.filter(external_id=asked["external_id"])
        if "email" in asked:
            rows = rows.filter(email_normalised=asked["email"])
        if "segment" in asked:
            rows = rows.in_segment(asked["segment"].pk)
        return rows

    @extend_schema(operation_id="customers_list", parameters=[CustomerFilter])
    def get(self, request: Request) -> Response:
        return self.list(request)

    @extend_schema(operation_id="customers_create", request=CustomerChange, responses={201: CustomerOut})
    def post(self, request: Request) -> Response:
        """Make a customer known. Send an Idempotency-Key and a repeat gets the first answer."""
        given = body(CustomerChange, request)

        def work() -> tuple[int, dict]:
            return 201, CustomerOut(people.create_customer(at=timezone.now(), **given)).data

        return idempotent(request, request.path, work)


class OneCustomer(generics.GenericAPIView):
    permission_model = Customer
    serializer_class = CustomerOut

    @extend_schema(operation_id="customers_retrieve")
    def get(self, request: Request, public_id: UUID) -> Response:
        """One customer."""
        rows = Customer.objects.select_related("channel", "referred_by")
        return Response(CustomerOut(find(public_id, rows)).data)

    @extend_schema(operation_id="customers_update", request=CustomerChange, responses=CustomerOut)
    def patch(self, request: Request, public_id: UUID) -> Response:
        """Correct the fields given; the others stay."""
        changes = body(CustomerChange, request, partial=True)
        changed = people.update_customer(customer=find(public_id), changes=changes, at=timezone.now())
        return Response(CustomerOut(changed).data)


class MergeIn(Shape):
    other = CustomerRef(help_text=_("The record that moves into this one and is gone afterwards."))


class Merge(generics.GenericAPIView):
    permission_model = Customer
    permission_action = "merge"
    serializer_class = CustomerOut

    @extend_schema(operation_id="customers_merge", request=MergeIn, responses=CustomerOut)
    def post(self, request: Request, public_id: UUID) -> Response:
        """Make two records of one person one: everything of the other moves here."""
        asked, at = body(MergeIn, request), timezone.now()
        kept = merging.merge_customers(keep=find(public_id), by=caller(request), at=at, **asked)
        return Response(CustomerOut(kept).data)


class Erase(generics.GenericAPIView):
    permission_model = Customer
    permission_action = "erase"
    serializer_class = CustomerOut

    @extend_schema(operation_id="customers_erase", request=None, responses=CustomerOut)
    def post(self, request: Request, public_id: UUID) -> Response:
        """Forget who a customer is, for good. The answer has the public id of the nameless facts that stay."""
        erased = erasure.erase_customer(customer=find(public_id), by=caller(request), at=timezone.now())
        return Response(CustomerOut(erased).data)
