"""How many statements an answer takes does not depend on how many rows it has."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.api.test_access import api_patterns
from tests.factories import (
    AnswerFactory,
    CampaignFactory,
    ChannelFactory,
    ConsentFactory,
    CouponFactory,
    CustomerFactory,
    CustomerLtvFactory,
    InteractionFactory,
    InvitationFactory,
    MembershipFactory,
    MessageFactory,
    ProductFactory,
    PurchaseFactory,
    RefundFactory,
    SegmentFactory,
    SurveyFactory,
)

pytestmark = pytest.mark.django_db


def one(**values):
    return CustomerFactory(
        public_id="11111111-1111-1111-1111-111111111111",
        channel=ChannelFactory(),
        referred_by=CustomerFactory(),
        **values,
    )


ONE = "/api/v1/customers/11111111-1111-1111-1111-111111111111/"


def many_customers(rows):
    for _number in range(rows):
        CustomerFactory(channel=ChannelFactory(), referred_by=CustomerFactory())


def a_customer_with_history(rows):
    customer = one()
    for number in range(rows):
        at = PurchaseFactory(customer=customer).purchased_at - timedelta(hours=number)
        RefundFactory(purchase=PurchaseFactory(customer=customer, purchased_at=at))
        InteractionFactory(customer=customer, occurred_at=at)
        MembershipFactory(customer=customer, entered_at=at)
        ConsentFactory(customer=customer, superseded_at=at, stated_at=at)
        InvitationFactory(customer=customer)
        MessageFactory(customer=customer, status="sent")
        CouponFactory(customer=customer)


def members(rows):
    segment = SegmentFactory(key="vip")
    for _number in range(rows):
        MembershipFactory(segment=segment)


def campaign_of(rows):
    campaign = CampaignFactory(pk=1, status="running", audience_size=rows)
    for _number in range(rows):
        MessageFactory(campaign=campaign)


def orders(rows):
    """A bulk body of as many orders of as many customers and products."""
    return {
        "source": "shop",
        "purchases": [
            {
                "external_id": f"Q-{rows}-{number}",
                "customer": str(CustomerFactory().public_id),
                "amount": "10",
                "currency": "USD",
                "purchased_at": "2026-03-01T00:00:00Z",
                "lines": [{"sku": f"{rows}-{number}", "quantity": "1", "amount": "10"}],
            }
            for number in range(rows)
        ],
    }


def nothing(rows):
    """This endpoint answers about one thing: there are no rows to grow by."""
    one()
    PurchaseFactory(external_id="A-1", amount=Decimal(50))
    CouponFactory(code="AAAA", status="redeemed", order_ref="A-1")


def two_records(rows):
    """The customer asked about, and another record with so many purchases and talks to move."""
    one()
    other = CustomerFactory()
    PurchaseFactory.create_batch(rows, customer=other)
    InteractionFactory.create_batch(rows, customer=other)
    return {"other": str(other.public_id)}


def somebody_to_erase(rows):
    a_customer_with_history(rows)
    return {}


Arrange = Callable[[int], object]
GETS: dict[str, tuple[str, Arrange]] = {
    "api-customers": ("/api/v1/customers/?page_size=200", many_customers),
    "api-customer": (ONE, a_customer_with_history),
    "api-interactions": (f"{ONE}interactions/", a_customer_with_history),
    "api-consents": (f"{ONE}consents/", a_customer_with_history),
    "api-timeline": (f"{ONE}timeline/?limit=200", a_customer_with_history),
    "api-purchases": ("/api/v1/purchases/", lambda rows: PurchaseFactory.create_batch(rows)),
    "api-segments": ("/api/v1/segments/", lambda rows: SegmentFactory.create_batch(rows)),
    "api-members": ("/api/v1/segments/vip/members/", members),
    "api-ltv": ("/api/v1/ltv/", lambda rows: CustomerLtvFactory.create_batch(rows)),
    "api-customer-ltv": (f"{ONE}ltv/", lambda rows: CustomerLtvFactory(customer=one())),
    "api-campaigns": ("/api/v1/campaigns/", lambda rows: CampaignFactory.create_batch(rows)),
    "api-campaign-states": ("/api/v1/campaigns/1/states/", campaign_of),
    "api-responses": ("/api/v1/responses/", lambda rows: AnswerFactory.create_batch(rows)),
    "api-surveys": ("/api/v1/surveys/", lambda rows: SurveyFactory.create_batch(rows)),
    "api-schema": ("/api/v1/schema/", lambda rows: ProductFactory.create_batch(rows)),
}
POSTS: dict[str, tuple[str, Arrange]] = {
    "api-purchases": ("/api/v1/purchases/", orders),
    "api-refunds": (
        "/api/v1/refunds/",
        lambda rows: (nothing(rows), refund())[1],
    ),
    "api-redeem": (
        "/api/v1/coupons/redeem/",
        lambda rows: (nothing(rows), {"code": "AAAA", "order_ref": "A-1"})[1],
    ),
    "api-withdraw": (
        f"{ONE}consents/withdraw/",
        lambda rows: (a_customer_with_history(rows), {"purpose": "marketing", "source": "till"})[1],
    ),
    "api-merge": (f"{ONE}merge/", two_records),
    "api-erase": (f"{ONE}erase/", somebody_to_erase),
}


def refund():
    return {
        "source": "shop",
        "order": "A-1",
        "external_id": "R-1",
        "amount": "5",
        "refunded_at": "2026-03-01T00:00:00Z",
    }


def statements(api, method, url, body=None):
    api.get("/api/v1/surveys/?page_size=1")  # the key's last-used day is written once a day
    with CaptureQueriesContext(connection) as queries:
        answer = getattr(api, method)(url, body, format="json")
    assert answer.status_code in (200, 201), answer.content
    return len(queries)


@pytest.mark.parametrize("name", GETS)
def test_reading_takes_as_many_statements_for_30_rows_as_for_3(name, api, shop, transactional_rows):
    url, arrange = GETS[name]

    few = transactional_rows(lambda: (arrange(3), statements(api, "get", url))[1])
    many = transactional_rows(lambda: (arrange(30), statements(api, "get", url))[1])

    assert few == many


@pytest.mark.parametrize("name", POSTS)
def test_writing_takes_as_many_statements_for_30_rows_as_for_3(name, api, shop, transactional_rows):
    url, arrange = POSTS[name]
    transactional_rows(lambda: statements(api, "post", url, arrange(2)))  # what a process asks only once

    few = transactional_rows(lambda: statements(api, "post", url, arrange(3)))
    many = transactional_rows(lambda: statements(api, "post", url, arrange(30)))

    assert few == many


def test_every_endpoint_is_measured_here():
    page_of_html = {"api-docs"}

    assert {pattern.name for pattern in api_patterns()} - page_of_html == GETS.keys() | POSTS.keys()
