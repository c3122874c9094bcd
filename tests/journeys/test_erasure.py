"""Erasing a customer: the person is nowhere to be found, sums stay, and nobody brings them back to be mailed."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection

from campaigns.choices import CampaignStatus, MessageStatus
from campaigns.models import MailboxMessage
from campaigns.reports import waterfall
from campaigns.services import delivery, suppression
from campaigns.services.enrolment import why_not
from crm.common.models import IdempotencyRecord
from customers.models import Customer, Purchase, PurchaseChange
from customers.services import checks, consent, contact, erasure, merging, people
from feedback.choices import QuestionKind
from feedback.services import responses
from ltv.models import CustomerLtv
from ltv.services import night
from tests.customers.importing import HEADER, applied, checked, reasons
from tests.factories import (
    AnswerFactory,
    CampaignFactory,
    ConsentFactory,
    CustomerFactory,
    EngagementFactory,
    FollowUpFactory,
    InteractionFactory,
    InvitationFactory,
    MembershipFactory,
    MessageFactory,
    PurchaseFactory,
    QuestionFactory,
    RefundFactory,
    ResponseFactory,
)

pytestmark = pytest.mark.django_db
CANARY = "zanzibar"  # in everything the person left behind


@pytest.fixture(autouse=True)
def _shop(shop, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return shop


@pytest.fixture
def person(now, staff):
    """A customer with something in every table that could name them."""
    kim = CustomerFactory(
        name=f"{CANARY} Kim", given_name=CANARY, family_name=CANARY, email=f"{CANARY}@mail.example",
        phone=f"010-{CANARY}", external_id=f"C-{CANARY}", country="KR",
    )  # fmt: skip
    RefundFactory(purchase=PurchaseFactory(customer=kim), reason=f"{CANARY} sent it back")
    InteractionFactory(customer=kim, note=f"{CANARY} called", staff=staff)
    FollowUpFactory(customer=kim, text=f"call {CANARY}")
    ConsentFactory(customer=kim)
    said = ResponseFactory(customer=kim, comment=f"I am {CANARY}", score=3)
    AnswerFactory(response=said, number=3, text=f"{CANARY}")
    words = QuestionFactory(survey=said.survey, kind=QuestionKind.TEXT)
    AnswerFactory(response=said, question=words, number=None, text=f"{CANARY}")
    sent = MessageFactory(customer=kim, status=MessageStatus.SENT, smtp_reply=f"ok {CANARY}")
    EngagementFactory(message=sent, url=f"/x?{CANARY}")
    MailboxMessage.objects.create(
        received_at=now,
        envelope_from="a@b.example",
        recipients=[kim.email],
        raw=CANARY.encode(),
        subject=CANARY,
    )
    merging.merge_customers(
        keep=kim,
        by=staff,
        at=now,
        other=CustomerFactory(email=f"{CANARY}2@mail.example", external_id=f"D-{CANARY}"),
    )
    IdempotencyRecord.objects.create(
        key="k", route="/api/v1/customers/", user=staff, body_hash="x", status=201, created_at=now,
        reply={"public_id": str(kim.public_id), "name": CANARY},
    )  # fmt: skip
    LogEntry.objects.update(object_repr=CANARY)
    checked(f"{HEADER}\nA-1,C-{CANARY},{CANARY}@mail.example,{CANARY},2026-02-03,1,USD,,\n", now)
    return Customer.objects.get(pk=kim.pk)


@pytest.fixture
def erase(staff, now):
    return lambda who: erasure.erase_customer(customer=who, by=staff, at=now)


def tables_that_name(word: str) -> list[str]:
    """Every table of the database with the word anywhere in any row, whatever the column."""
    found = []
    with connection.cursor() as cursor:
        # temporary tables of an import end with its transaction, which here is the test's
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (name,) in cursor.fetchall():
            cursor.execute(
                f'SELECT count(*) FROM public."{name}" AS t WHERE t::text ILIKE %s OR t::text ILIKE %s',
                [f"%{word}%", f"%{word.encode().hex()}%"],
            )
            if cursor.fetchone()[0]:
                found.append(name)
    return found


def test_no_table_names_the_person_any_more(person, erase):
    before = tables_that_name(CANARY)

    erase(person)

    assert len(before) >= 11  # the test can see
    assert tables_that_name(CANARY) == []


def test_facts_without_the_person_stay_and_so_do_the_sums(person, erase, now):
    MembershipFactory(customer=person)
    night.run_due(clock=lambda: now)
    before = CustomerLtv.objects.filter(customer=person).values().get()

    erase(person)
    night.run_due(clock=lambda: now + timedelta(days=1))
    night.run_due(clock=lambda: now + timedelta(days=8))  # a Monday: the full pass

    after = CustomerLtv.objects.get(customer=person)
    assert Purchase.objects.get(customer=person).amount == Decimal("50.00")
    assert (after.orders, after.revenue, after.margin) == (
        before["orders"],
        before["revenue"],
        before["margin"],
    )
    person.refresh_from_db()
    assert (person.country, person.name, person.erased_at) == ("KR", f"#{person.pk}", now)
    assert person.responses.get().score == 3
    assert person.memberships.filter(left_at=None).exists()


def test_mail_that_waits_is_not_sent_and_what_is_under_way_cannot_be_sent_again(person, erase, now, staff):
    waiting = MessageFactory(customer=person)
    going = MessageFactory(
        customer=person, status=MessageStatus.SENDING, lease_token=7, leased_until=now + timedelta(minutes=1)
    )

    erase(person)

    waiting.refresh_from_db()
    going.refresh_from_db()
    assert (waiting.status, waiting.address) == (MessageStatus.SUPPRESSED, "")
    assert (going.status, going.reason, going.address) == (MessageStatus.UNKNOWN, "erased", "")
    with pytest.raises(delivery.NotUnknown):
        delivery.resend(message=going, by=staff, at=now)


def test_neither_import_nor_sign_up_brings_them_back_to_be_mailed(person, erase, now):
    segment = MembershipFactory().segment
    campaign = CampaignFactory(status=CampaignStatus.RUNNING, segment=segment)

    erase(person)
    applied(f"{HEADER}\nA-9,C-{CANARY},{CANARY}@mail.example,Kim,2026-02-03,1,USD,,\n", now)
    back = people.create_customer(name="Kim", email=f"{CANARY}2@mail.example", at=now)
    for one in Customer.objects.filter(email__contains=CANARY):
        consent.grant(customer=one, purpose="marketing", source="x", wording="y", stated_at=now, at=now)
        MembershipFactory(segment=segment, customer=one)
    seen = waterfall(campaign, hash_params=suppression.hash_params(), why_not=why_not())

    assert back.pk != person.pk
    assert (seen.suppressed, seen.will_be_sent + seen.held_out) == (2, 0)


def test_an_old_file_is_not_taken_for_somebody_elses_orders(person, erase, now, staff):
    applied(f"{HEADER}\nA-5,C-{CANARY},{CANARY}@mail.example,Kim,2026-02-03,1,USD,,\n", now)
    erase(person)

    batch = checked(f"{HEADER}\nA-5,C-{CANARY},{CANARY}@mail.example,Kim,2026-02-03,1,USD,,\n", now)

    assert (batch.errors, batch.new_customers) == (1, 0)
    assert "A-5" in reasons(batch)[2]


def test_erasing_twice_is_harmless_and_is_noted_once(person, erase, now, staff):
    LogEntry.objects.all().delete()
    first = erase(person)

    again = erase(person)

    assert again.public_id == first.public_id
    assert LogEntry.objects.get().user == staff


def test_nothing_is_written_about_somebody_erased(person, erase, now, staff):
    invitation = InvitationFactory(customer=person, expires_at=now + timedelta(days=9))
    question = QuestionFactory(survey=invitation.survey)
    gone = erase(person)

    with pytest.raises(checks.CustomerErased):
        people.update_customer(customer=gone, changes={"name": "Kim"}, at=now)
    with pytest.raises(checks.CustomerErased):
        consent.grant(customer=gone, purpose="survey", source="x", wording="y", stated_at=now, at=now)
    with pytest.raises(checks.CustomerErased):
        contact.log_interaction(customer=gone, kind="call", note="Kim", staff=staff, occurred_at=now, at=now)
    with pytest.raises(responses.InvitationExpired):
        responses.submit(invitation=invitation, answers={question.pk: 9}, language="en", at=now)
    assert tables_that_name(CANARY) == []


def test_no_purchase_is_touched(person, erase):
    PurchaseChange.objects.all().delete()

    erase(person)

    assert PurchaseChange.objects.count() == 0
