"""What staff ask of a rule: how many, who, why."""

from datetime import date

import pytest
from django.db import connection

from customers.core.traits import Source, catalogue
from customers.models import Customer, SegmentMembership
from customers.services import segments
from customers.services.segments import asking
from tests.factories import CustomerFactory, CustomerLtvFactory, SegmentFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]
KOREA = {"all": [{"trait": "customers.country", "op": "=", "value": "KR"}]}
JAPAN = {"all": [{"trait": "customers.country", "op": "=", "value": "JP"}]}
FRESH = {"all": [{"trait": "customers.days_since_acquired", "op": "<=", "value": 1}]}
EVERYONE: dict[str, list[object]] = {"all": []}
TODAY = date(2026, 3, 2)


def test_a_preview_counts_and_names_some_and_writes_nothing():
    korean, japanese = CustomerFactory(country="KR"), CustomerFactory(country="JP")

    assert segments.preview(KOREA, TODAY) == segments.Preview(1, [korean.pk], True)
    assert segments.preview({"not": KOREA}, TODAY) == segments.Preview(1, [japanese.pk], True)
    assert not SegmentMembership.objects.exists()


def test_a_preview_names_at_most_as_many_as_asked():
    CustomerFactory.create_batch(5)

    found = segments.preview(EVERYONE, TODAY, some=3)

    assert (found.count, len(found.sample)) == (5, 3)


def test_a_preview_gives_the_transaction_its_patience_back():
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        before = cursor.fetchone()
        segments.preview(EVERYONE, TODAY)
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == before


@pytest.fixture
def slow_source(monkeypatch):
    """Makes the acquisition channel a source that takes five seconds to join in the given way."""

    def install(join: str) -> dict[str, object]:
        nap = (
            f"{join} JOIN (SELECT 'x' AS code, pg_sleep(5)::text AS slept) {{alias}} ON {{alias}}.slept = ''"
        )
        monkeypatch.setitem(catalogue().sources, "channel", Source("channel", nap))
        return {"trait": "customers.channel", "op": "=", "value": "x"}

    return install


def test_a_preview_that_takes_too_long_counts_a_sample_and_says_so(slow_source, monkeypatch):
    monkeypatch.setattr(asking, "SAMPLE_PERCENT", 1e-6)  # so that the one page is not in it by chance
    CustomerFactory()

    found = segments.preview(slow_source("LEFT"), TODAY, patience="1s")

    assert found == segments.Preview(0, [], False)


def test_a_preview_whose_sample_takes_too_long_is_refused_and_the_transaction_goes_on(slow_source):
    CustomerFactory()

    with pytest.raises(segments.PreviewTooSlow):
        segments.preview(slow_source("RIGHT"), TODAY, patience="100ms")

    assert Customer.objects.count() == 1


def test_why_shows_each_condition_with_the_customers_value():
    rule = {
        "all": [
            {"trait": "ltv.p_no_purchase", "op": ">=", "value": 0.5},
            {
                "any": [
                    {"trait": "customers.country", "op": "=", "value": "KR"},
                    {"trait": "feedback.nps_score", "op": ">=", "value": 9},
                ]
            },
            {"trait": "ltv.revenue", "op": ">", "value": 100},
        ]
    }
    customer = CustomerLtvFactory(p_no_purchase=0.42, customer__country="KR").customer

    assert segments.why(customer.pk, SegmentFactory(rule=rule), TODAY) == [
        ("Chance of no purchase in 90 days is at least 50%", "42%", False),
        ("Country is KR", "KR", True),
        ("Last recommendation score is at least 9", "not known", False),
        ("Revenue so far is above 100 USD", "150 USD", True),
    ]


def test_why_agrees_with_membership_for_every_customer(now):
    rule = {
        "all": [
            {"trait": "customers.country", "op": "in", "value": ["KR", "JP"]},
            {"trait": "ltv.frequency", "op": ">=", "value": 2},
        ]
    }
    for country in ("KR", "JP", "US", ""):
        for frequency in (1, 2, 3):
            CustomerLtvFactory(frequency=frequency, customer__country=country)
    segment = segments.create_segment(key="near", name="Near", rule=rule, at=now)

    passing = {
        pk
        for pk in Customer.objects.values_list("pk", flat=True)
        if all(reason.passes for reason in segments.why(pk, segment, TODAY))
    }

    assert passing == set(Customer.objects.in_segment(segment.pk).values_list("pk", flat=True))
    assert len(passing) == 4


def test_why_is_one_question_to_the_database_however_many_conditions(django_assert_max_num_queries):
    customer = CustomerFactory()
    segment = SegmentFactory(rule={"any": [KOREA, JAPAN, FRESH, {"not": KOREA}]})

    with django_assert_max_num_queries(3):  # the shop's clock, the shop's currency, the answer
        reasons = segments.why(customer.pk, segment, TODAY)

    assert len(reasons) == 4


def test_why_refuses_a_customer_who_does_not_exist():
    with pytest.raises(segments.UnknownCustomer):
        segments.why(0, SegmentFactory(rule=KOREA), TODAY)


def test_a_rule_is_explained_in_the_shops_currency():
    rule = {"all": [{"trait": "ltv.clv", "op": ">=", "value": 120}, KOREA]}

    assert segments.explain(rule) == "Expected margin, 12 months is at least 120 USD and country is KR"
