"""Two records of one customer become one: everything moves, the stricter word stays, old names still lead there."""

from contextlib import closing
from datetime import timedelta
from decimal import Decimal

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.urls import reverse

from campaigns.choices import CouponStatus, MessageStatus, SuppressionReason
from campaigns.models import Coupon, Enrolment, Message
from campaigns.services import suppression
from customers.choices import ConsentStatus
from customers.models import Consent, Customer, FormerRecord, Purchase, PurchaseChange
from customers.services import consent, merging, people, purchases
from feedback.models import Invitation, Response
from ltv.models import PurchaseSummary
from ltv.services import merging as ltv_merging
from ltv.services import night
from tests.customers.importing import HEADER, applied
from tests.factories import (
    ChannelFactory,
    ConsentFactory,
    CouponFactory,
    CustomerFactory,
    FollowUpFactory,
    InteractionFactory,
    InvitationFactory,
    MembershipFactory,
    MessageFactory,
    PurchaseFactory,
    PurchaseSummaryFactory,
    RefundFactory,
    ResponseFactory,
    SuppressionFactory,
)

pytestmark = pytest.mark.django_db

# Every table that points at a customer: what becomes of its rows is decided in a merge. A new one fails here.
POINTING = {
    "customers.Customer.referred_by",
    "customers.FormerRecord.customer",
    "customers.Purchase.customer",
    "customers.Interaction.customer",
    "customers.FollowUp.customer",
    "customers.Consent.customer",
    "customers.SegmentMembership.customer",
    "feedback.Invitation.customer",
    "feedback.Response.customer",
    "ltv.PurchaseSummary.customer",
    "ltv.CustomerLtv.customer",  # a run's figures: not changed; the next night has one row for both
    "ltv.CustomerOutlook.customer",  # the same rows
    "campaigns.Enrolment.customer",
    "campaigns.Coupon.customer",
    "campaigns.Message.customer",
}


@pytest.fixture(autouse=True)
def _shop(shop, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return shop


@pytest.fixture
def merge(staff, now):
    return lambda keep, other: merging.merge_customers(keep=keep, other=other, by=staff, at=now)


def test_every_table_that_points_at_a_customer_is_known():
    fields = (field for model in apps.get_models() for field in model._meta.concrete_fields)

    assert {f"{f.model._meta.label}.{f.name}" for f in fields if f.related_model is Customer} == POINTING


def test_everything_of_the_other_moves_and_its_record_is_gone(merge):
    keep, other = CustomerFactory(), CustomerFactory()
    purchase = PurchaseFactory(customer=other)
    RefundFactory(purchase=purchase)
    said, step = InteractionFactory(customer=other), FollowUpFactory(customer=other)
    answer = ResponseFactory(customer=other)
    mail = MessageFactory(customer=other, status=MessageStatus.SENT)
    coupon = CouponFactory(customer=other)
    friend = CustomerFactory(referred_by=other)
    PurchaseSummaryFactory(customer=other)
    PurchaseChange.objects.all().delete()

    merge(keep, other)

    for row in (purchase, said, step, answer, answer.invitation, mail, mail.enrolment, coupon):
        row.refresh_from_db()
        assert row.customer_id == keep.pk, row
    friend.refresh_from_db()
    assert friend.referred_by == keep
    assert not Customer.objects.filter(pk=other.pk).exists()
    assert not PurchaseSummary.objects.filter(customer_id=other.pk).exists()
    assert set(PurchaseChange.objects.values_list("customer_id", flat=True)) == {keep.pk, other.pk}


def test_the_kept_record_wins_and_its_blanks_are_filled(merge, now):
    first = ChannelFactory()
    keep = CustomerFactory(name="Kim", given_name="", phone="", country="", acquired_at=now, channel=None)
    other = CustomerFactory(
        name="KIM M.", phone="010", country="KR", acquired_at=now - timedelta(days=9), channel=first
    )
    address, number = keep.email, keep.external_id

    merge(keep, other)

    keep.refresh_from_db()
    assert (keep.name, keep.email, keep.external_id) == ("Kim", address, number)
    assert (keep.given_name, keep.phone, keep.country) == (other.given_name, "010", "KR")
    assert (keep.acquired_at, keep.channel) == (now - timedelta(days=9), first)


def test_who_had_no_address_and_no_number_takes_the_others(merge):
    keep = CustomerFactory(email="", external_id=None)
    other = CustomerFactory(email="Kim@example.com", external_id="C-9")

    merge(keep, other)

    keep.refresh_from_db()
    assert (keep.email, keep.email_normalised, keep.external_id) == (
        "Kim@example.com",
        "kim@example.com",
        "C-9",
    )
    assert FormerRecord.objects.get().external_id is None


@pytest.mark.parametrize(
    ("kept", "others", "left"),
    [
        ("granted", "granted", "granted"),
        ("granted", None, "granted"),
        (None, "granted", None),  # nobody agreed to mail at the address that stays
        ("granted", "withdrawn", "withdrawn"),
        ("withdrawn", "granted", "withdrawn"),
        (None, "withdrawn", "withdrawn"),
        ("withdrawn", "withdrawn", "withdrawn"),
        (None, None, None),
    ],
)
def test_of_two_consents_the_stricter_stays(kept, others, left, merge):
    keep, other = CustomerFactory(), CustomerFactory()
    given = [(keep, kept), (other, others)]
    said = [ConsentFactory(customer=who, status=status) for who, status in given if status]

    merge(keep, other)

    current = Consent.objects.filter(customer=keep, superseded_at=None)
    assert [one.status for one in current] == ([left] if left else [])
    assert Consent.objects.filter(customer=keep).count() == len(said)  # none is lost


def test_an_address_that_is_taken_over_brings_its_yes(merge):
    keep, other = CustomerFactory(email=""), CustomerFactory()
    ConsentFactory(customer=other)

    merge(keep, other)

    assert Customer.objects.consenting("marketing").get() == keep


def test_a_no_of_the_other_stops_mail_that_waits_for_the_kept_one(merge, now):
    keep, other = CustomerFactory(), CustomerFactory()
    consent.grant(customer=keep, purpose="marketing", source="shop", wording="Yes.", stated_at=now, at=now)
    waiting = MessageFactory(customer=keep)
    ConsentFactory(customer=other, status=ConsentStatus.WITHDRAWN)

    merge(keep, other)

    waiting.refresh_from_db()
    assert (waiting.status, waiting.reason) == (MessageStatus.SUPPRESSED, "consent_withdrawn")


@pytest.mark.parametrize(
    ("reason", "blocked"), [(SuppressionReason.COMPLAINED, True), (SuppressionReason.BOUNCED, False)]
)
def test_a_block_goes_with_the_person_a_bounce_stays_with_the_mailbox(reason, blocked, merge):
    keep, other = CustomerFactory(), CustomerFactory()
    theirs = suppression.hash_address(other.email_normalised)
    SuppressionFactory(address_hash=theirs, reason=reason, purpose="marketing")

    merge(keep, other)

    ours = suppression.hash_address(keep.email_normalised)
    assert suppression.Suppression.objects.filter(address_hash=ours, purpose="marketing").exists() is blocked
    assert suppression.Suppression.objects.filter(address_hash=theirs, lifted_at=None).exists()


@pytest.mark.parametrize(
    ("kept", "others", "after"),
    [
        (MessageStatus.PENDING, MessageStatus.PENDING, (MessageStatus.PENDING, MessageStatus.SUPPRESSED)),
        (MessageStatus.PENDING, MessageStatus.SENT, (MessageStatus.SUPPRESSED, MessageStatus.SENT)),
        (MessageStatus.PENDING, MessageStatus.UNKNOWN, (MessageStatus.SUPPRESSED, MessageStatus.UNKNOWN)),
        (MessageStatus.SENT, MessageStatus.PENDING, (MessageStatus.SENT, MessageStatus.SUPPRESSED)),
        (MessageStatus.SENT, MessageStatus.SENT, (MessageStatus.SENT, MessageStatus.SENT)),
        (MessageStatus.HELD_OUT, MessageStatus.PENDING, (MessageStatus.HELD_OUT, MessageStatus.SUPPRESSED)),
    ],
)
def test_in_one_campaign_both_rows_stay_and_one_mail_leaves(kept, others, after, merge):
    keep, other = CustomerFactory(), CustomerFactory()
    ours = MessageFactory(customer=keep, status=kept)
    theirs = MessageFactory(campaign=ours.campaign, customer=other, status=others)
    CouponFactory(enrolment=theirs.enrolment, status=CouponStatus.RESERVED)

    merge(keep, other)

    rows = Message.objects.filter(customer=keep).order_by("pk")
    assert tuple(row.status for row in rows) == after
    assert [row.merged_from for row in rows] == [None, other.pk]
    assert list(Enrolment.objects.order_by("pk").values_list("customer_id", "merged_from")) == [
        (keep.pk, None),
        (keep.pk, other.pk),
    ]
    cancelled = others == MessageStatus.PENDING
    assert Coupon.objects.get().status == (CouponStatus.CANCELLED if cancelled else CouponStatus.RESERVED)


def test_asked_twice_by_one_survey_both_answers_stay(merge):
    keep, other = CustomerFactory(), CustomerFactory()
    ours = InvitationFactory(customer=keep, source="campaign:1")
    theirs = InvitationFactory(customer=other, source="campaign:1", survey=ours.survey)
    ResponseFactory(invitation=ours)
    ResponseFactory(invitation=theirs)

    merge(keep, other)

    assert Response.objects.filter(customer=keep).count() == 2
    assert set(Invitation.objects.filter(customer=keep).values_list("merged_from", flat=True)) == {
        None,
        other.pk,
    }


def test_open_stays_of_the_other_end_and_its_history_moves(merge, now):
    keep, other = CustomerFactory(), CustomerFactory()
    both, alone = MembershipFactory(customer=keep).segment, MembershipFactory(customer=other)
    MembershipFactory(customer=other, segment=both)

    merge(keep, other)

    assert list(keep.memberships.filter(left_at=None).values_list("segment", flat=True)) == [both.pk]
    alone.refresh_from_db()
    assert (alone.customer, alone.left_at) == (keep, now)


def test_old_names_lead_to_the_kept_customer(merge, now, browser_of):
    keep = CustomerFactory(name="Kim", external_id="C1", email="kim@mail.example")
    other = CustomerFactory(name="Kim M.", external_id="C2", email="minji@mail.example")

    merge(keep, other)
    applied(
        f"{HEADER}\nA-1,C2,minji@mail.example,Kim M.,2026-02-03,1,USD,,\nA-2,,Minji@mail.example,,2026-02-03,1,USD,,\n",
        now,
    )
    facts = {"amount": Decimal(5), "currency": "USD", "purchased_at": now}
    rows = [
        {"external_id": "B-1", "customer": other.public_id, **facts},
        {"external_id": "B-2", "customer_external_id": "C2", **facts},
        {"external_id": "B-3", "email": "minji@mail.example", **facts},
    ]
    result = purchases.record_purchases(rows=rows, source="shop", at=now)

    keep.refresh_from_db()
    assert result.errors == []
    assert set(Purchase.objects.values_list("external_id", "customer_id")) == {
        (order, keep.pk) for order in ("A-1", "A-2", "B-1", "B-2", "B-3")
    }
    assert (Customer.objects.count(), keep.name, keep.email) == (1, "Kim", "kim@mail.example")
    page = browser_of.get(reverse("crm:customer", args=[other.pk]))
    assert page["Location"] == reverse("crm:customer", args=[keep.pk])


@pytest.fixture
def browser_of(client, staff):
    client.force_login(staff)
    return client


def test_a_second_merge_carries_the_first_along(merge):
    a, b, c = CustomerFactory.create_batch(3)

    merge(b, a)
    merge(c, b)

    assert set(FormerRecord.objects.values_list("former_id", "customer_id")) == {(a.pk, c.pk), (b.pk, c.pk)}


@pytest.mark.parametrize("who", ["themselves", "erased", "merged"])
def test_what_cannot_be_merged_is_refused_and_nothing_changes(who, merge, now):
    keep = CustomerFactory()
    if who == "themselves":
        other = keep
    elif who == "erased":
        other = CustomerFactory(given_name="", email="", external_id=None, erased_at=now)
    else:
        other = CustomerFactory()
        merge(CustomerFactory(), other)
    before = Customer.objects.count(), FormerRecord.objects.count()

    with pytest.raises(merging.MergeRefused):
        merge(keep, other)

    assert (Customer.objects.count(), FormerRecord.objects.count()) == before


def test_two_who_refer_to_each_other_refer_to_nobody_as_one(merge):
    keep = CustomerFactory()
    other = CustomerFactory(referred_by=keep)
    Customer.objects.filter(pk=keep.pk).update(referred_by=other)

    merge(keep, other)

    keep.refresh_from_db()
    assert keep.referred_by is None


def test_the_night_counts_both_as_one(merge, now):
    keep, other = CustomerFactory(), CustomerFactory()
    PurchaseFactory(customer=keep, amount=Decimal("30.10"))
    PurchaseFactory(customer=other, amount=Decimal("20.20"))
    night.run_due(clock=lambda: now)

    merge(keep, other)
    night.run_due(clock=lambda: now + timedelta(days=1))

    summary = PurchaseSummary.objects.get()
    assert (summary.customer_id, summary.orders, summary.days) == (keep.pk, 2, 1)
    assert summary.revenue == Decimal("50.30")


def test_nobody_disappears_while_the_night_reads(merge):
    keep, other = CustomerFactory(), CustomerFactory()
    worker = connection.copy()
    with closing(worker), worker.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [night.JOB])

        with pytest.raises(ltv_merging.NightAtWork):
            merge(keep, other)

    assert Customer.objects.count() == 2


def test_who_merged_what_is_in_the_log(merge, staff):
    keep, other = CustomerFactory(), CustomerFactory()

    merge(keep, other)

    line = LogEntry.objects.get()
    assert (line.user, line.object_id) == (staff, str(keep.pk))
    assert str(other.pk) in line.change_message


def test_an_address_of_a_former_record_may_become_a_customers_own(merge, now):
    keep, other = CustomerFactory(), CustomerFactory(email="new@mail.example")
    merge(keep, other)

    people.update_customer(customer=keep, changes={"email": "new@mail.example"}, at=now)

    keep.refresh_from_db()
    assert keep.email_normalised == "new@mail.example"
