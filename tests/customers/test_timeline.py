from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from customers.core.timeline import KINDS, TimelineItem, tellers
from customers.reports import story
from customers.services import erasure
from tests.factories import (
    ConsentFactory,
    CustomerFactory,
    InteractionFactory,
    MembershipFactory,
    PurchaseFactory,
    RefundFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
PEOPLE = {"purchase", "refund", "interaction", "consent", "segment"}


def told(customer, **options):
    return story(customer.pk, kinds=PEOPLE, **options)


def test_everything_that_happened_is_told_newest_first(shop, now):
    customer, agent = CustomerFactory(), UserFactory(username="mina")
    bought = PurchaseFactory(
        customer=customer,
        external_id="A-1",
        amount=Decimal(12000),
        currency="KRW",
        rate=Decimal("0.001"),
        sales_channel="web",
        purchased_at=now - timedelta(days=5),
    )
    refund = RefundFactory(
        purchase=bought, amount=Decimal(2000), reason="Broken", refunded_at=now - timedelta(days=4)
    )
    called = InteractionFactory(
        customer=customer, staff=agent, note="Was angry.", occurred_at=now - timedelta(days=3)
    )
    consented = ConsentFactory(customer=customer, stated_at=now - timedelta(days=6))
    stay = MembershipFactory(
        customer=customer, entered_at=now - timedelta(days=2), left_at=now - timedelta(days=1)
    )

    assert [(item.key, item.title, item.detail, item.author) for item in told(customer)] == [
        (f"left:{stay.pk}", f"Left the segment {stay.segment.name}", "", ""),
        (f"entered:{stay.pk}", f"Entered the segment {stay.segment.name}", "", ""),
        (f"interaction:{called.pk}", "Call · To the customer", "Was angry.", "mina"),
        (f"refund:{refund.pk}", "₩2,000 refunded", "Order A-1 · Broken", ""),
        (f"purchase:{bought.pk}", "Bought for ₩12,000", "Order A-1 · web", ""),
        (f"consent:{consented.pk}", "Agreed to: Offers and news by e-mail", "checkout form", ""),
    ]


def test_a_purchase_that_is_not_counted_says_so(shop):
    waiting = PurchaseFactory(currency="KRW", external_id="A-2", amount=Decimal(500))

    [item] = told(waiting.customer)

    assert item.detail == "Order A-2 · no exchange rate: not counted"


def test_a_consent_that_ended_with_the_person_says_so_in_words(shop, now):
    given = ConsentFactory(stated_at=now - timedelta(days=1))
    erasure.erase_customer(customer=given.customer, by=None, at=now)

    [newest, _given] = told(given.customer)

    assert (newest.title, newest.detail) == (
        "Took back consent to: Offers and news by e-mail",
        "Customer erased",
    )
    with translation.override("ko"):
        assert told(given.customer)[0].detail == "고객 정보 삭제"


def test_nobody_elses_story_is_told(shop):
    PurchaseFactory(), InteractionFactory(), ConsentFactory(), RefundFactory(), MembershipFactory()

    assert told(CustomerFactory()) == []


def test_pages_put_together_are_the_whole_story(shop, now):
    customer = CustomerFactory()
    for day in range(8):
        at = now - timedelta(days=day)
        PurchaseFactory(customer=customer, purchased_at=at)
        InteractionFactory(customer=customer, occurred_at=at)
        MembershipFactory(
            customer=customer, entered_at=at - timedelta(days=20), left_at=at - timedelta(hours=3)
        )
    whole = told(customer, limit=1000)

    pages, before = [], None
    while page := told(customer, before=before, limit=3):
        pages += page
        before = page[-1].at

    assert len(whole) == 32
    assert pages == whole


def test_things_of_one_instant_stay_on_one_page(shop, now):
    customer = CustomerFactory()
    PurchaseFactory.create_batch(5, customer=customer, purchased_at=now)

    assert len(told(customer, limit=2)) == 5
    assert told(customer, before=now, limit=2) == []


def test_a_filtered_timeline_asks_only_for_what_it_shows(shop):
    refund = RefundFactory()

    with CaptureQueriesContext(connection) as queries:
        found = story(refund.purchase.customer_id, kinds={"refund"})

    assert [item.key for item in found] == [f"refund:{refund.pk}"]
    assert len(queries) == 1
    assert "customers_interaction" not in queries[0]["sql"]


@pytest.mark.parametrize("rows", [3, 30])
def test_the_whole_story_is_one_query_however_much_happened(rows, shop, now):
    customer = CustomerFactory()
    for number in range(rows):
        at = now - timedelta(days=number)
        RefundFactory(purchase=PurchaseFactory(customer=customer, purchased_at=at))
        InteractionFactory(customer=customer, occurred_at=at)
        MembershipFactory(customer=customer, entered_at=at)

    with CaptureQueriesContext(connection) as queries:
        story(customer.pk)

    assert len(queries) == 1


def test_every_kind_is_told_by_somebody():
    told_by = {kind: [teller.query for teller in tellers({kind})] for kind in KINDS - {"system"}}

    assert all(told_by.values())


def test_an_item_needs_nothing_but_what_happened_and_when(now):
    item = TimelineItem(at=now, kind="system", icon="info", title="Merged")

    assert (item.detail, item.author, item.url, item.key) == ("", "", "", "")
