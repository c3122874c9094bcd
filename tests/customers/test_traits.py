"""What customers itself offers to rules: each trait has the value a person would expect, and no other."""

from datetime import UTC, date, datetime

import pytest

from customers.core import rules
from customers.core.traits import catalogue
from customers.models import Customer, Segment
from customers.services import segments
from tests.factories import (
    ChannelFactory,
    ConsentFactory,
    CustomerFactory,
    FollowUpFactory,
    InteractionFactory,
    ProductFactory,
    PurchaseFactory,
    PurchaseLineFactory,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]
TODAY = date(2026, 3, 2)


def value(customer: Customer, trait: str) -> str:
    """What staff are shown of ``trait``."""
    segment = Segment(rule={"trait": trait, "op": "is_known"})
    return segments.why(customer.pk, segment, TODAY)[0].value


def test_the_person(now):
    channel = ChannelFactory(code="search", kind="paid")
    customer = CustomerFactory(
        language="ko",
        country="KR",
        channel=channel,
        referred_by=CustomerFactory(),
        acquired_at=datetime(2026, 2, 28, 15, 30, tzinfo=UTC),  # the first of March in Seoul
    )

    found = {
        name: value(customer, f"customers.{name}")
        for name in (
            "language",
            "country",
            "channel",
            "channel_kind",
            "acquired_on",
            "days_since_acquired",
            "has_email",
            "is_referred",
        )
    }

    assert found == {
        "language": "Korean",
        "country": "KR",
        "channel": "search",
        "channel_kind": "Paid",
        "acquired_on": "2026-03-01",
        "days_since_acquired": "1 days",
        "has_email": "yes",
        "is_referred": "yes",
    }


def test_of_a_stranger_little_is_known():
    stranger = CustomerFactory(country="", email="", channel=None)

    assert value(stranger, "customers.country") == "not known"
    assert value(stranger, "customers.channel") == "not known"
    assert value(stranger, "customers.has_email") == "no"
    assert value(stranger, "customers.marketing_consent") == "no"
    assert value(stranger, "customers.days_since_contact") == "not known"
    assert value(stranger, "customers.purchases") == "0"
    assert value(stranger, "customers.last_purchase_on") == "not known"
    assert value(stranger, "customers.product_bought") == "not known"


@pytest.mark.parametrize(("status", "agreed"), [("granted", "yes"), ("withdrawn", "no")])
@pytest.mark.parametrize("purpose", ["marketing", "survey"])
def test_consent_is_the_current_statement_about_its_purpose(purpose, status, agreed, now):
    customer = CustomerFactory()
    other = {"marketing": "survey", "survey": "marketing"}[purpose]
    ConsentFactory(customer=customer, purpose=purpose, status="granted", superseded_at=now)
    ConsentFactory(customer=customer, purpose=purpose, status=status)

    assert value(customer, f"customers.{purpose}_consent") == agreed
    assert value(customer, f"customers.{other}_consent") == "no"


def test_the_last_contact_is_the_newest_interaction_in_the_shops_days():
    customer = InteractionFactory(occurred_at=datetime(2026, 2, 1, 3, 0, tzinfo=UTC)).customer
    InteractionFactory(customer=customer, occurred_at=datetime(2026, 2, 20, 16, 0, tzinfo=UTC))

    assert value(customer, "customers.last_contact_on") == "2026-02-21"
    assert value(customer, "customers.days_since_contact") == "9 days"


def test_the_next_follow_up_is_the_earliest_open_one(now):
    customer = FollowUpFactory(due_on=date(2026, 3, 9)).customer
    FollowUpFactory(customer=customer, due_on=date(2026, 3, 5))
    FollowUpFactory(customer=customer, due_on=date(2026, 3, 1), status="done", closed_at=now)

    assert value(customer, "customers.follow_up_due_on") == "2026-03-05"


def test_purchases_are_counted_once_however_many_lines_they_have():
    customer = CustomerFactory()
    first = PurchaseFactory(customer=customer, purchased_at=datetime(2026, 1, 10, 3, 0, tzinfo=UTC))
    PurchaseFactory(customer=customer, currency="KRW")
    tea, cup = ProductFactory(sku="TEA", category="Tea"), ProductFactory(sku="CUP", category="")
    for product in (tea, tea, cup):
        PurchaseLineFactory(purchase=first, product=product)

    assert value(customer, "customers.purchases") == "2"
    assert value(customer, "customers.first_purchase_on") == "2026-01-10"
    assert value(customer, "customers.last_purchase_on") == "2026-02-02"
    assert value(customer, "customers.product_bought") == "CUP, TEA"
    assert value(customer, "customers.category_bought") == "Tea"
    assert value(customer, "customers.currency_used") == "KRW, USD"


@pytest.mark.parametrize(
    ("trait", "held", "other"),
    [
        ("customers.product_bought", "TEA", "CUP"),
        ("customers.category_bought", "Tea", "Cups"),
        ("customers.currency_used", "USD", "KRW"),
    ],
)
def test_a_rule_about_what_was_bought_asks_whether_any_purchase_has_it(trait, held, other):
    buyer = CustomerFactory()
    product = ProductFactory(sku="TEA", category="Tea")
    PurchaseLineFactory.create_batch(2, purchase__customer=buyer, product=product)
    CustomerFactory()

    assert segments.preview({"trait": trait, "op": "=", "value": held}, TODAY) == segments.Preview(
        1, [buyer.pk], True
    )
    assert segments.preview({"trait": trait, "op": "=", "value": other}, TODAY).count == 0
    assert segments.preview({"trait": trait, "op": "in", "value": [held, other]}, TODAY).count == 1


def test_every_trait_of_every_app_can_be_asked_of_every_customer():
    """Each source adds at most one row per customer, and each expression is SQL PostgreSQL understands."""
    customer = CustomerFactory()
    ConsentFactory(customer=customer)
    PurchaseFactory.create_batch(2, customer=customer)
    InteractionFactory.create_batch(2, customer=customer)
    FollowUpFactory.create_batch(2, customer=customer)

    for name, trait in catalogue().traits.items():
        known, unknown = (
            segments.preview({"trait": name, "op": op}, TODAY).count for op in ("is_known", "is_unknown")
        )
        assert known + unknown == 1, name
        assert value(customer, name)
        assert rules.operators_for(trait)


def test_traits_of_all_four_apps_are_registered():
    assert {name.partition(".")[0] for name in catalogue().traits} == {
        "customers",
        "ltv",
        "feedback",
        "campaigns",
    }


def test_suggestions_are_values_a_rule_accepts():
    ChannelFactory(code="search", name="Search")
    PurchaseLineFactory(product=ProductFactory(sku="TEA", name="Green tea", category="Tea"))

    offered = {name: list(trait.suggest()) for name, trait in catalogue().traits.items() if trait.suggest}

    assert offered["customers.channel"] == [("search", "Search")]
    assert offered["customers.product_bought"] == [("TEA", "Green tea")]
    assert offered["customers.category_bought"] == [("Tea", "Tea")]
    assert offered["customers.currency_used"] == [("USD", "USD")]
    assert offered["customers.country"][0] == ("KR", "KR")
