"""Figures that add up, and what a campaign brought in."""

from datetime import timedelta
from decimal import Decimal

import pytest

from campaigns import reports
from campaigns.models import Message
from campaigns.reports import ArmResult, Difference
from campaigns.services import campaigns as campaigning
from campaigns.services import coupons, unsubscribe
from customers.core.timeline import tellers
from customers.reports import story
from tests.factories import (
    CouponFactory,
    EngagementFactory,
    EnrolmentFactory,
    MessageFactory,
    PurchaseFactory,
    RefundFactory,
)

pytestmark = pytest.mark.django_db
CAMPAIGNS = {"mail", "coupon", "consent"}


def told_of(customer_id, **options):
    """What campaigns tell of the story; consents are told by people, too."""
    items = story(customer_id, kinds=CAMPAIGNS, **options)
    return [item for item in items if not item.key.startswith("consent:")]


def test_states_add_up_to_the_audience(member, launched, deliver, sink, now):
    for _ in range(12):
        member()
    member(consents=False)
    campaign = launched(control_share=Decimal("0.2"))
    odd, gone = (message.customer for message in campaign.messages.filter(status="pending")[:2])
    sink.refuse["rcpt"][odd.email] = "550 5.7.1 No"
    unsubscribe.unsubscribe(message=Message.objects.get(customer=gone), at=now, source="link")
    deliver()

    seen = reports.states(campaign)

    assert seen.total == campaign.audience_size == 13
    assert seen.reasons == {
        ("failed", "refused_rcpt"): 1,
        ("suppressed", "consent_withdrawn"): 1,
        ("suppressed", "no_consent"): 1,
    }
    assert seen.by_status["sent"] + seen.by_status["held_out"] == 10
    assert seen.unfinished == 0


def test_results_compare_the_arms_whatever_happened_to_the_mail(shop, now):
    treated = [MessageFactory(status="sent", enrolment__enrolled_at=now) for _ in range(3)]
    campaign = treated[0].campaign
    lost = MessageFactory(campaign=campaign, status="suppressed", reason="consent_withdrawn")
    never = MessageFactory(campaign=campaign, status="suppressed", reason="no_consent")
    held_out = [
        MessageFactory(campaign=campaign, status="held_out", enrolment__arm="control") for _ in range(2)
    ]
    for extra in (*treated[1:], lost, never, *held_out):
        extra.enrolment.campaign = extra.campaign = campaign
        extra.enrolment.enrolled_at = now
        extra.enrolment.save()
        extra.save()
    _bought(treated[0].customer, now, days=1, amount=50)
    _bought(treated[0].customer, now, days=2, amount=30)
    _bought(treated[1].customer, now, days=-1, amount=999)
    _bought(treated[1].customer, now, days=31, amount=999)
    _bought(lost.customer, now, days=3, amount=20)
    _bought(never.customer, now, days=3, amount=999)
    _bought(held_out[0].customer, now, days=3, amount=40)
    _bought(held_out[1].customer, now, days=20, amount=999)  # later than the day of the report

    seen = reports.results(campaign, at=now + timedelta(days=10), currency="USD")

    assert (seen.treated.people, seen.treated.buyers, seen.treated.orders) == (4, 2, 3)
    assert seen.treated.revenue == Decimal(100)
    assert (seen.control.people, seen.control.buyers, seen.control.revenue) == (2, 1, Decimal(40))
    assert seen.buyer_share is not None and seen.buyer_share.value == 0
    assert seen.revenue_per_person is not None and seen.revenue_per_person.value == 5
    assert seen.extra_revenue is not None and seen.extra_revenue.value == 20
    assert not seen.revenue_per_person.is_clear


def test_a_refund_takes_revenue_back(shop, now):
    message = MessageFactory(status="sent", enrolment__enrolled_at=now)
    purchase = _bought(message.customer, now, days=1, amount=50)
    RefundFactory(purchase=purchase, amount=Decimal(20))

    seen = reports.results(message.campaign, at=now + timedelta(days=10), currency="USD")

    assert (seen.treated.revenue, seen.treated.buyers) == (Decimal(30), 1)


def _bought(customer, now, *, days, amount):
    at = now + timedelta(days=days)
    return PurchaseFactory(customer=customer, amount=Decimal(amount), purchased_at=at)


def test_without_a_control_there_is_no_difference_to_show(shop, now):
    message = MessageFactory(status="sent")

    seen = reports.results(message.campaign, at=now, currency="USD")

    assert (seen.buyer_share, seen.revenue_per_person, seen.extra_revenue) == (None, None, None)
    assert seen.control.buyer_share is None


def test_the_interval_of_two_shares_is_newcombes():
    # Newcombe (1998), table II, example (a): 56/70 against 48/80, method 10
    seen = reports.share_difference(ArmResult(people=70, buyers=56), ArmResult(people=80, buyers=48))

    assert seen is not None
    assert (round(seen.value, 4), round(seen.low, 4), round(seen.high, 4)) == (0.2, 0.0524, 0.3339)
    assert seen.is_clear


def test_the_interval_of_two_means_is_welchs():
    seen = reports.mean_difference(
        ArmResult(people=100, revenue=Decimal(1200), variance=400.0),
        ArmResult(people=50, revenue=Decimal(500), variance=100.0),
    )

    assert seen is not None
    assert (seen.value, round(seen.low, 3), round(seen.high, 3)) == (2.0, -2.801, 6.801)
    assert Difference(2, 1, 3).is_clear and Difference(-2, -3, -1).is_clear


def test_redemptions_are_counted_of_what_was_issued(now):
    first = CouponFactory(status="issued")
    campaign = first.enrolment.campaign
    for status in ("redeemed", "reserved", "cancelled"):
        CouponFactory(enrolment=EnrolmentFactory(campaign=campaign), status=status)
    CouponFactory(enrolment=EnrolmentFactory(campaign=campaign), expires_at=now)

    seen = reports.results(campaign, at=now, currency="USD")

    assert (seen.coupons_issued, seen.coupons_redeemed, seen.coupons_expired) == (3, 1, 1)
    assert seen.redemption_share == pytest.approx(1 / 3)


# -- the customer's story --------------------------------------------------------------------------------------------


def test_the_story_has_mails_coupons_and_goodbyes(member, launched, deliver, now, django_assert_num_queries):
    person = member()
    campaign = launched()
    deliver()
    message = Message.objects.get()
    code = message.enrolment.coupon.code
    coupons.redeem(code=code, order_ref="7", at=now + timedelta(days=1))
    unsubscribe.unsubscribe(message=message, at=now + timedelta(days=2), source="link")

    with django_assert_num_queries(1):
        told = told_of(person.pk)

    assert [(item.kind, item.at) for item in told] == [
        ("consent", now + timedelta(days=2)),
        ("coupon", now + timedelta(days=1)),
        ("mail", now),
    ]
    assert told[2].title == f"Campaign: {campaign.name}"
    assert told[2].detail.startswith("Sent · ")
    assert len({item.key for item in told}) == 3


def test_the_story_pages_strictly_backwards(now):
    customer = (newest := EngagementFactory(kind="redeemed")).message.customer
    EngagementFactory(
        message=newest.message, kind="redeemed", happened_at=newest.happened_at - timedelta(days=1)
    )

    older = told_of(customer.pk, before=newest.happened_at)

    assert len([item for item in older if item.kind == "coupon"]) == 1
    assert all(item.at < newest.happened_at for item in older)
    assert len(story(customer.pk, limit=1, kinds={"coupon"})) == 1


def test_campaigns_tell_their_part_of_the_story():
    told = [teller.kinds for teller in tellers() if teller.query.startswith("campaigns/")]

    assert set().union(*told) == CAMPAIGNS


def test_a_held_out_customer_is_told_to_staff(member, draft, now):
    message = MessageFactory(status="held_out")

    (item,) = told_of(message.customer_id)

    assert (item.kind, item.icon, item.detail) == ("mail", "science", "Held out")


def test_preflight_of_an_empty_segment_is_all_zero(draft):
    assert campaigning.preflight(draft()) == reports.Waterfall(0, 0, 0, 0, 0, 0)
