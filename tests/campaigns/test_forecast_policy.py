"""Predictions drive offers only as far as the newest check of the forecast allows it."""

from datetime import datetime

import pytest

from campaigns import reports
from campaigns.models import Coupon, Enrolment
from customers import events
from customers.core import rules
from customers.core.traits import catalogue
from customers.models import Customer, Purchase, Segment, SegmentMembership
from ltv import traits
from ltv.choices import Light
from ltv.events import forecast_judged
from ltv.models import ReportCard
from ltv.services import backtesting
from tests.factories import ConsentFactory, CustomerFactory, ReportCardFactory, SegmentFactory, UserFactory
from tests.ltv.core import shops
from tests.ltv.selling import sell

BY_FORECAST = {"all": [{"not": {"trait": "ltv.p_no_purchase", "op": "<", "value": 0.5}}]}
BY_FACTS = {"all": [{"trait": "ltv.formula_ltv", "op": ">=", "value": 100}]}


@pytest.fixture
def segment(db: None) -> Segment:
    return SegmentFactory(rule=BY_FORECAST)


@pytest.fixture
def enters(segment, now):
    """Somebody who may be mailed enters the segment, as a night finds."""

    def entered(at: datetime = now) -> Customer:
        customer = CustomerFactory()
        ConsentFactory(customer=customer)
        SegmentMembership.objects.create(segment=segment, customer=customer, entered_at=at)
        events.segments_changed.send(sender=None, at=at, entered={segment.pk: 1}, left={})
        return customer

    return entered


def a_verdict(light: Light, at: datetime) -> None:
    card = ReportCardFactory(light=light)
    forecast_judged.send(sender=None, card=card, at=at)


@pytest.mark.parametrize("light", [Light.GREEN, Light.AMBER, None])
def test_who_enters_is_enrolled_when_the_forecast_holds_is_doubtful_or_was_not_checked(
    light, launched, enters, now
):
    if light:
        a_verdict(light, now)
    campaign = launched(trigger="on_entry")

    enters()

    assert (campaign.enrolments.count(), Coupon.objects.count()) == (1, 1)
    assert reports.waiting_for_forecast([campaign]) == []


def test_while_the_verdict_is_red_nobody_is_enrolled_and_no_coupon_made(launched, enters, now):
    campaign = launched(trigger="on_entry")
    a_verdict(Light.RED, now)

    enters()

    assert (Enrolment.objects.count(), Coupon.objects.count()) == (0, 0)
    campaign.refresh_from_db()
    assert campaign.status == "running"
    assert reports.waiting_for_forecast([campaign]) == [campaign]


@pytest.mark.parametrize("light", [Light.GREEN, Light.AMBER])
def test_who_waited_is_enrolled_once_when_the_next_verdict_is_better(light, launched, enters, now):
    campaign = launched(trigger="on_entry")
    a_verdict(Light.RED, now)
    waited = enters()

    a_verdict(light, now)
    a_verdict(light, now)

    assert [one.customer for one in campaign.enrolments.all()] == [waited]
    assert Coupon.objects.count() == 1


def test_another_red_verdict_keeps_them_waiting(launched, enters, now):
    launched(trigger="on_entry")
    a_verdict(Light.RED, now)
    enters()

    a_verdict(Light.RED, now)

    assert not Enrolment.objects.exists()


def test_the_owners_word_lets_them_in(launched, enters, now):
    campaign = launched(trigger="on_entry")
    a_verdict(Light.RED, now)
    waited = enters()

    card = ReportCard.objects.latest("pk")
    backtesting.allow(card=card, reason="A holiday, not a break.", by=UserFactory(), at=now)

    assert [one.customer for one in campaign.enrolments.all()] == [waited]


def test_a_segment_of_facts_goes_on_under_red(segment, launched, enters, now):
    Segment.objects.update(rule=BY_FACTS)
    segment.refresh_from_db()
    campaign = launched(trigger="on_entry")
    a_verdict(Light.RED, now)

    enters()

    assert campaign.enrolments.count() == 1


def test_launched_under_red_a_campaign_on_entry_begins_by_waiting(member, launched, now):
    a_verdict(Light.RED, now)
    member()

    campaign = launched(trigger="on_entry")

    assert (campaign.status, campaign.audience_size) == ("running", 0)
    a_verdict(Light.GREEN, now)
    assert campaign.enrolments.count() == 1


def test_what_a_person_launches_to_everybody_at_once_is_that_persons_decision(member, launched, now):
    a_verdict(Light.RED, now)
    member()

    assert launched().audience_size == 1


def test_a_paused_campaign_is_not_woken_by_a_verdict(launched, enters, now):
    campaign = launched(trigger="on_entry")
    a_verdict(Light.RED, now)
    enters()
    type(campaign).objects.update(status="paused")

    a_verdict(Light.GREEN, now)

    assert not Enrolment.objects.exists()


def test_a_break_planted_in_the_purchases_stops_them_and_the_repaired_log_lets_them_in(
    launched, enters, now, staff
):
    """From purchases to coupons: the check itself, on a real log whose last weeks are missing, then on the whole one."""
    campaign = launched(trigger="on_entry")
    sell(shops.thinned(shops.healthy(250, 7), 810, 0.8))
    backtesting.run_due(clock=lambda: now)
    waited = enters()
    assert ReportCard.objects.get().light == Light.RED
    assert not campaign.enrolments.exists()

    Purchase.objects.all().delete()
    sell(shops.healthy(250, 7))
    backtesting.request_check(by=staff, now=now)
    backtesting.run_due(clock=lambda: now)

    assert ReportCard.objects.latest("pk").light != Light.RED
    assert [one.customer for one in campaign.enrolments.all()] == [waited]


def test_every_prediction_counts_as_one_and_no_fact_does():
    def asks(trait):
        return bool(rules.forecasts({"trait": trait.name, "op": "is_known"}, catalogue()))

    assert [trait.name for trait in traits.FUTURE if not asks(trait)] == []
    known = [trait for trait in catalogue().traits.values() if asks(trait)]
    assert {trait.name for trait in known} == {trait.name for trait in traits.FUTURE}


def test_a_rule_that_cannot_be_read_asks_nothing():
    assert rules.forecasts({"trait": "ltv.gone", "op": "is_known"}, catalogue()) == []
