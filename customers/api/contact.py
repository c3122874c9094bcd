"""What was said: interactions, consents, and the whole story of one customer."""

from dataclasses import asdict
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from crm.common.api import idempotent
from crm.common.api_access import caller
from crm.common.api_shapes import Instant, Shape, body, query
from customers import reports
from customers.api.people import find
from customers.choices import ConsentStatus, Direction, InteractionKind, Outcome, Purpose
from customers.core import timeline
from customers.models import Consent, Customer, Interaction
from customers.services import consent, contact


class InteractionIn(Shape):
    kind = serializers.ChoiceField(InteractionKind.choices)
    note = serializers.CharField(max_length=5000)
    occurred_at = Instant()
    direction = serializers.ChoiceField(Direction.choices, required=False)
    outcome = serializers.ChoiceField(Outcome.choices, required=False)
    next_step = serializers.CharField(max_length=240, required=False)
    next_step_due = serializers.DateField(required=False)


class InteractionOut(serializers.Serializer):
    id = serializers.IntegerField()
    kind = serializers.ChoiceField(InteractionKind.choices)
    direction = serializers.ChoiceField(Direction.choices)
    outcome = serializers.ChoiceField(Outcome.choices)
    note = serializers.CharField()
    staff = serializers.CharField(source="staff.username", allow_null=True, read_only=True)
    occurred_at = Instant()
    recorded_at = Instant()


class GrantIn(Shape):
    purpose = serializers.ChoiceField(Purpose.choices)
    source = serializers.CharField(max_length=80)  # type: ignore[assignment]
    wording = serializers.CharField(max_length=5000)
    stated_at = Instant()


class WithdrawalIn(Shape):
    purpose = serializers.ChoiceField(Purpose.choices)
    source = serializers.CharField(max_length=80)  # type: ignore[assignment]


class ConsentOut(serializers.Serializer):
    purpose = serializers.ChoiceField(Purpose.choices)
    status = serializers.ChoiceField(ConsentStatus.choices)
    source = serializers.CharField()  # type: ignore[assignment]
    wording = serializers.CharField(allow_blank=True)
    stated_at = Instant()
    superseded_at = Instant(allow_null=True)


class TimelineFilter(Shape):
    before = Instant(required=False)
    limit = serializers.IntegerField(min_value=1, max_value=200, required=False)
    kind = serializers.ChoiceField(sorted(timeline.KINDS), required=False)


class TimelineItemOut(serializers.Serializer):
    at = Instant()
    kind = serializers.CharField()
    title = serializers.CharField()
    detail = serializers.CharField(allow_blank=True)
    author = serializers.CharField(allow_blank=True)
    key = serializers.CharField()


class Interactions(generics.ListAPIView):
    """What staff and one customer said to each other, last noted first."""

    permission_model = Interaction
    serializer_class = InteractionOut

    def get_queryset(self) -> QuerySet[Interaction]:
        return Interaction.objects.filter(customer=find(self.kwargs["public_id"])).select_related("staff")

    @extend_schema(operation_id="interactions_list")
    def get(self, request: Request, public_id: UUID) -> Response:
        return self.list(request)

    @extend_schema(operation_id="interactions_create", request=InteractionIn, responses={201: InteractionOut})
    def post(self, request: Request, public_id: UUID) -> Response:
        """Note a conversation, in the name of the key's member of staff."""
        said, customer = body(InteractionIn, request), find(public_id)

        def work() -> tuple[int, dict]:
            made = contact.log_interaction(
                customer=customer, staff=caller(request), at=timezone.now(), **said
            )
            return 201, InteractionOut(made).data

        return idempotent(request, request.path, work)


class Consents(generics.ListAPIView):
    """Everything a customer stated about being contacted, last recorded first."""

    permission_model = Consent
    serializer_class = ConsentOut

    def get_queryset(self) -> QuerySet[Consent]:
        return Consent.objects.filter(customer=find(self.kwargs["public_id"]))

    @extend_schema(operation_id="consents_list")
    def get(self, request: Request, public_id: UUID) -> Response:
        return self.list(request)

    @extend_schema(operation_id="consents_grant", request=GrantIn, responses={201: ConsentOut})
    def post(self, request: Request, public_id: UUID) -> Response:
        """Record a yes with its proof. One older than the customer's last word changes nothing."""
        said, customer = body(GrantIn, request), find(public_id)

        def work() -> tuple[int, dict]:
            given = consent.grant(customer=customer, at=timezone.now(), by=caller(request), **said)
            return 201, ConsentOut(given).data

        return idempotent(request, request.path, work)


class Withdrawals(generics.GenericAPIView):
    permission_model = Consent
    permission_action = "add"
    serializer_class = ConsentOut

    @extend_schema(operation_id="consents_withdraw", request=WithdrawalIn, responses=ConsentOut)
    def post(self, request: Request, public_id: UUID) -> Response:
        """Record that a customer takes a yes back: mail that waits for it is cancelled. Repeating is harmless."""
        said, customer = body(WithdrawalIn, request), find(public_id)
        taken = consent.withdraw(customer=customer, at=timezone.now(), by=caller(request), **said)
        return Response(ConsentOut(taken).data)


class Timeline(generics.GenericAPIView):
    permission_model = Customer
    pagination_class = None
    serializer_class = TimelineItemOut

    @extend_schema(
        operation_id="timeline_list",
        parameters=[TimelineFilter],
        responses=TimelineItemOut(many=True),
    )
    def get(self, request: Request, public_id: UUID) -> Response:
        """All that happened with one customer, newest first. The next page: ``before`` the last item's time."""
        asked = query(TimelineFilter, request)
        told = reports.story(
            find(public_id).pk,
            before=asked.get("before"),
            limit=asked.get("limit", 50),
            kinds={asked["kind"]} if "kind" in asked else timeline.KINDS,
        )
        return Response(TimelineItemOut([asdict(item) for item in told], many=True).data)
