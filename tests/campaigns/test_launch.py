"""Drafts, launch, the frozen audience, and who enters later."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.choices import CouponStatus
from campaigns.models import Campaign, Coupon, Enrolment, Message
from campaigns.services import campaigns as campaigning
from campaigns.services import suppression, transport
from crm.common.models import Shop
from customers import events
from customers.models import SegmentMembership
from feedback.models import Invitation
from tests.campaigns.conftest import TEXT, count_states
from tests.factories import (
    CampaignFactory,
    ConsentFactory,
    CustomerFactory,
    QuestionFactory,
    SurveyFactory,
)


def test_launch_makes_one_ledger_row_for_every_member(member, launched, now):
    for _ in range(5):
        member()
    member(consents=False)
    ConsentFactory(customer=member(consents=False), status="withdrawn")
    member(email="")
    blocked = member()
    suppression.suppress(address=blocked.email_normalised, reason="complained", at=now)

    campaign = launched()

    assert count_states(campaign) == {
        ("pending", ""): 5,
        ("suppressed", "no_consent"): 1,
        ("suppressed", "withdrawn_before"): 1,
        ("suppressed", "no_address"): 1,
        ("suppressed", "suppressed_address"): 1,
    }
    assert (campaign.status, campaign.audience_size, campaign.launched_at) == ("running", 9, now)


def test_every_waiting_message_has_a_coupon_of_its_own_and_others_have_none(member, launched, now):
    for _ in range(20):
        member()
    member(consents=False)

    campaign = launched()

    coupons = Coupon.objects.filter(enrolment__campaign=campaign)
    assert coupons.count() == campaign.messages.filter(status="pending").count() == 20
    codes = set(coupons.values_list("code", flat=True))
    assert len(codes) == 20
    assert all(len(code) == 16 and set(code) <= set("0123456789ABCDEFGHJKMNPQRSTVWXYZ") for code in codes)
    assert len({letter for code in codes for letter in code}) > 25
    assert set(coupons.values_list("status", "expires_at")) == {
        (CouponStatus.RESERVED, now + timedelta(days=30))
    }


def test_a_campaign_without_an_offer_mints_no_coupons(member, launched):
    member()

    launched(offer=None, variants={"en": ("Hello", "Dear {{ name }}")})

    assert Coupon.objects.count() == 0


def test_the_held_out_share_is_a_hash_and_stays_the_same(member, draft, launched, now):
    for _ in range(400):
        member()

    campaign = launched(control_share=Decimal("0.25"))

    held_out = set(campaign.enrolments.filter(arm="control").values_list("customer", flat=True))
    assert 70 <= len(held_out) <= 130  # 100 expected, 3.5 standard deviations
    assert set(campaign.messages.filter(status="held_out").values_list("customer", flat=True)) == held_out
    again = CampaignFactory(segment=campaign.segment, salt=campaign.salt, control_share=Decimal("0.25"))
    assert campaigning.preflight(again).held_out == len(held_out)
    other = CampaignFactory(segment=campaign.segment, salt="another", control_share=Decimal("0.25"))
    assert campaigning.preflight(other).in_segment == 400


def test_preflight_says_what_launch_then_does(member, draft, sink, now):
    for _ in range(30):
        member()
    member(consents=False)
    ConsentFactory(customer=member(consents=False), status="withdrawn")
    member(email="")
    campaign = draft(control_share=Decimal("0.3"))

    seen = campaigning.preflight(campaign)
    launched = campaigning.launch(campaign=campaign, by=None, at=now)

    steps = (seen.no_address, seen.no_consent, seen.suppressed, seen.held_out, seen.will_be_sent)
    assert sum(steps) == seen.in_segment == launched.audience_size == 33
    assert (seen.no_address, seen.no_consent) == (1, 2)
    assert launched.messages.filter(status="pending").count() == seen.will_be_sent
    assert launched.messages.filter(status="held_out").count() == seen.held_out


def test_customers_get_their_own_language_else_the_first(member, launched):
    korean, japanese = member(language="ko"), member(language="ja")

    campaign = launched(variants={"en": TEXT, "ko": ("안녕하세요", "{{ name }} 님")})

    by_customer = dict(campaign.messages.values_list("customer", "variant__language"))
    assert by_customer == {korean.pk: "ko", japanese.pk: "en"}


def test_a_survey_campaign_invites_who_will_be_mailed(member, launched, now):
    survey = SurveyFactory(status="open")
    QuestionFactory(survey=survey)
    person, _silent = member(), member(consents=False)

    campaign = launched(survey=survey, offer=None, variants={"en": ("One question", "{{ survey_url }}")})

    invitation = Invitation.objects.get()
    assert (invitation.customer, invitation.source) == (person, f"campaign:{campaign.pk}")
    assert campaign.messages.get(status="pending").invitation == invitation


def test_an_audience_costs_the_same_statements_whatever_its_size(
    member, draft, sink, now, django_assert_num_queries
):
    member()
    small = draft()
    with CaptureQueriesContext(connection) as captured:
        campaigning.launch(campaign=small, by=None, at=now)
    for _ in range(25):
        member()
    large = draft()

    with django_assert_num_queries(len(captured)):
        campaigning.launch(campaign=large, by=None, at=now)

    assert large.messages.count() == 26


# -- refusals ----------------------------------------------------------------------------------------------------


def _unchanged(campaign):
    campaign.refresh_from_db()
    return (campaign.status, campaign.audience_size, Message.objects.count(), Enrolment.objects.count()) == (
        "draft",
        0,
        0,
        0,
    )


def test_a_campaign_that_would_reach_nobody_is_refused(member, draft, sink, now):
    member(consents=False)
    campaign = draft()

    with pytest.raises(campaigning.NobodyToContact):
        campaigning.launch(campaign=campaign, by=None, at=now)

    assert _unchanged(campaign)


def test_without_a_postal_address_nothing_is_launched(member, draft, sink, now):
    member()
    campaign = draft()
    Shop.objects.update(postal_address=" ")

    with pytest.raises(campaigning.NotReady, match="postal address"):
        campaigning.launch(campaign=campaign, by=None, at=now)

    assert _unchanged(campaign)


def test_without_a_sender_nothing_is_launched(member, draft, sink, now):
    member()
    campaign = draft()
    Shop.objects.update(sender_email="nobody")

    with pytest.raises(campaigning.NotReady, match="sender"):
        campaigning.launch(campaign=campaign, by=None, at=now)

    assert _unchanged(campaign)


@pytest.mark.parametrize("url", ["", "http://mail.example", "smtp://", "smtp://user:pw@mail.example:25"])
def test_without_a_usable_mail_server_nothing_is_launched(url, member, draft, sink, now, settings):
    settings.SMTP_URL = url
    member()
    campaign = draft()

    with pytest.raises(transport.NoMailServer):
        campaigning.launch(campaign=campaign, by=None, at=now)

    assert _unchanged(campaign)


def test_a_closed_survey_is_refused(member, draft, sink, now):
    survey = SurveyFactory(status="open")
    member()
    campaign = draft(survey=survey)
    survey.status = "closed"
    survey.save()

    with pytest.raises(campaigning.NotReady, match="survey"):
        campaigning.launch(campaign=campaign, by=None, at=now)

    assert _unchanged(campaign)


def test_an_archived_segment_is_refused(member, draft, sink, now, segment):
    member()
    campaign = draft()
    segment.status = "archived"
    segment.save()

    with pytest.raises(campaigning.NotReady, match="segment"):
        campaigning.launch(campaign=campaign, by=None, at=now)

    assert _unchanged(campaign)


def test_a_launched_campaign_is_not_launched_again(member, launched, now):
    member()
    campaign = launched()

    with pytest.raises(campaigning.AlreadyLaunched):
        campaigning.launch(campaign=campaign, by=None, at=now + timedelta(hours=1))

    campaign.refresh_from_db()
    assert (campaign.launched_at, campaign.audience_size) == (now, 1)


@pytest.mark.django_db(transaction=True)
def test_of_twenty_launches_at_once_one_wins(member, draft, sink, now):
    for _ in range(10):
        member()
    campaign, gate = draft(), threading.Barrier(20)

    def launch(_number):
        gate.wait()
        try:
            campaigning.launch(campaign=campaign, by=None, at=now)
        except campaigning.AlreadyLaunched:
            return "refused"
        finally:
            connection.close()
        return "launched"

    with ThreadPoolExecutor(20) as pool:
        results = list(pool.map(launch, range(20)))

    assert (results.count("launched"), results.count("refused")) == (1, 19)
    assert Message.objects.count() == Campaign.objects.get().audience_size == 10


# -- who enters later --------------------------------------------------------------------------------------------


def _enters(segment, now, **facts):
    customer = CustomerFactory(**facts)
    ConsentFactory(customer=customer)
    SegmentMembership.objects.create(segment=segment, customer=customer, entered_at=now)
    return customer


def test_who_enters_the_segment_of_an_on_entry_campaign_is_enrolled_once(
    member, launched, deliver, sink, segment, now, django_capture_on_commit_callbacks
):
    first = member()
    campaign = launched(trigger="on_entry")
    second = _enters(segment, now)

    for _ in range(2):
        events.segments_changed.send(sender=None, at=now, entered={segment.pk: 1}, left={})
    deliver()

    campaign.refresh_from_db()
    assert campaign.audience_size == 2
    assert sorted(sink.addresses()) == sorted([first.email, second.email])
    assert Coupon.objects.count() == 2


def test_who_leaves_and_enters_again_is_not_mailed_twice(member, launched, segment, now):
    person = member()
    campaign = launched(trigger="on_entry")
    SegmentMembership.objects.update(left_at=now)
    SegmentMembership.objects.create(segment=segment, customer=person, entered_at=now)

    events.segments_changed.send(sender=None, at=now, entered={segment.pk: 1}, left={})

    assert campaign.messages.count() == 1


def test_a_campaign_of_once_takes_nobody_in_later(member, launched, segment, now):
    member()
    campaign = launched()
    _enters(segment, now)

    events.segments_changed.send(sender=None, at=now, entered={segment.pk: 1}, left={})

    assert campaign.messages.count() == 1


def test_a_paused_on_entry_campaign_takes_nobody_in(member, launched, segment, now):
    member()
    campaign = launched(trigger="on_entry")
    campaigning.pause(campaign=campaign)
    _enters(segment, now)

    events.segments_changed.send(sender=None, at=now, entered={segment.pk: 1}, left={})

    assert campaign.messages.count() == 1


def test_an_on_entry_campaign_may_start_with_nobody(launched, segment):
    campaign = launched(trigger="on_entry")

    assert (campaign.status, campaign.audience_size) == ("running", 0)
