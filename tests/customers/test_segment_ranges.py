"""A large shop's segments are evaluated by ranges of customers, on connections of their own: nobody is in another segment."""

from collections import Counter
from datetime import date, datetime, timedelta

import pytest
from django.db import transaction

from customers.core.traits import catalogue
from customers.models import Customer, Interaction, Segment, SegmentMembership
from customers.services import segments
from customers.services.segments import refreshing
from tests.factories import (
    ChannelFactory,
    ConsentFactory,
    CouponFactory,
    CustomerFactory,
    CustomerLtvFactory,
    FollowUpFactory,
    InteractionFactory,
    InvitationFactory,
    MessageFactory,
    PurchaseFactory,
    PurchaseLineFactory,
    ResponseFactory,
    SegmentFactory,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("shop")]
TODAY = date(2026, 3, 2)
Stays = list[tuple[int, int, datetime | None]]


@pytest.fixture
def people() -> list[Customer]:
    """Eight, of whom every second one has done everything there is to ask about; a segment for each thing asked."""
    people = CustomerFactory.create_batch(8)
    for person in people[::2]:
        Customer.objects.filter(pk=person.pk).update(channel=ChannelFactory())
        PurchaseLineFactory(purchase=PurchaseFactory(customer=person))
        CustomerLtvFactory(customer=person)
        ConsentFactory(customer=person)
        ConsentFactory(customer=person, purpose="survey")
        InteractionFactory(customer=person)
        FollowUpFactory(customer=person)
        ResponseFactory(invitation=InvitationFactory(customer=person), score=3)
        CouponFactory(customer=person)
        MessageFactory(customer=person, status="sent")
    for trait in catalogue().traits.values():
        SegmentFactory(rule={"all": [{"trait": trait.name, "op": "is_known"}]})
    return people


def stays(monkeypatch: pytest.MonkeyPatch, *, customers_a_range: int, at: datetime) -> Stays:
    """Every stay after a refresh, which is then undone."""
    monkeypatch.setattr(refreshing, "RANGE", customers_a_range)
    with transaction.atomic():
        segments.refresh(at=at, today=TODAY)
        found = SegmentMembership.objects.order_by("customer_id", "segment_id", "entered_at")
        rows = list(found.values_list("segment_id", "customer_id", "left_at"))
        staying = Counter(segment for segment, _customer, left_at in rows if left_at is None)
        counted = dict(Segment.objects.filter(member_count__gt=0).values_list("pk", "member_count"))
        assert counted == staying
        transaction.set_rollback(True)
    return rows


def test_who_enters_is_the_same(people, monkeypatch, now):
    whole = stays(monkeypatch, customers_a_range=100, at=now)

    assert stays(monkeypatch, customers_a_range=3, at=now) == whole
    busy, idle = ({row[0] for row in whole if row[1] == one.pk} for one in people[:2])
    assert len(busy - idle) > len(catalogue().sources)


def test_who_leaves_is_the_same(people, monkeypatch, now):
    segments.refresh(at=now, today=TODAY)
    Interaction.objects.filter(customer=people[4]).delete()
    Customer.objects.filter(pk__in=[people[0].pk, people[7].pk]).update(country="")

    whole = stays(monkeypatch, customers_a_range=100, at=now + timedelta(days=1))

    assert stays(monkeypatch, customers_a_range=3, at=now + timedelta(days=1)) == whole
    left = {who for _segment, who, at in whole if at}
    assert left == {people[0].pk, people[4].pk, people[7].pk}


@pytest.mark.parametrize("customers_a_range", [3, 100])
def test_whoever_is_no_customer_any_more_leaves(people, monkeypatch, now, customers_a_range):
    gone = SegmentMembership.objects.create(
        segment=Segment.objects.first(), customer_id=10**9, entered_at=now
    )
    later = now + timedelta(days=1)

    after = stays(monkeypatch, customers_a_range=customers_a_range, at=later)

    assert (gone.segment_id, gone.customer_id, later) in after
