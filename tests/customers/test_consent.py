from datetime import timedelta

import pytest

from crm.common.errors import InvalidInput
from customers import events
from customers.choices import ConsentStatus, Purpose
from customers.models import Consent, Customer
from customers.services import consent
from tests.factories import ConsentFactory, CustomerFactory

pytestmark = pytest.mark.django_db
WORDS = "Send me offers by e-mail."


@pytest.fixture
def withdrawals():
    """What consent_withdrawn said."""
    heard: list[tuple[int, str]] = []

    def hear(customer_id, purpose, **_rest):
        heard.append((customer_id, purpose))

    events.consent_withdrawn.connect(hear)
    yield heard
    events.consent_withdrawn.disconnect(hear)


def agree(customer, now, **changes):
    said = {"source": "checkout form", "wording": WORDS, "stated_at": now, "at": now, **changes}
    return consent.grant(customer=customer, purpose=Purpose.MARKETING, **said)


def take_back(customer, at):
    return consent.withdraw(customer=customer, purpose=Purpose.MARKETING, source="link", at=at)


def may_be_mailed(customer):
    return Customer.objects.consenting(Purpose.MARKETING).filter(pk=customer.pk).exists()


def test_a_yes_lets_mail_through_for_its_purpose_only(now, staff):
    customer = CustomerFactory()

    given = agree(customer, now, by=staff)

    assert may_be_mailed(customer)
    assert not Customer.objects.consenting(Purpose.SURVEY).exists()
    assert (given.source, given.wording, given.recorded_by) == ("checkout form", WORDS, staff)


def test_a_withdrawal_supersedes_the_yes_and_is_told(now, withdrawals):
    customer = CustomerFactory()
    first = agree(customer, now - timedelta(days=9))

    take_back(customer, now)

    first.refresh_from_db()
    assert not may_be_mailed(customer)
    assert (first.status, first.superseded_at) == (ConsentStatus.GRANTED, now)
    assert withdrawals == [(customer.pk, Purpose.MARKETING)]


def test_withdrawing_twice_is_told_once(now, withdrawals):
    customer = ConsentFactory().customer

    take_back(customer, now)
    take_back(customer, now + timedelta(minutes=1))

    assert len(withdrawals) == 1
    assert Consent.objects.filter(status=ConsentStatus.WITHDRAWN).count() == 1


def test_who_never_agreed_can_say_no(now, withdrawals):
    customer = CustomerFactory()

    take_back(customer, now)

    assert Consent.objects.get().status == ConsentStatus.WITHDRAWN
    assert withdrawals == [(customer.pk, Purpose.MARKETING)]


def test_a_yes_that_arrives_late_does_not_undo_a_withdrawal(now):
    customer = CustomerFactory()
    take_back(customer, now)

    late = agree(customer, now + timedelta(days=1), stated_at=now - timedelta(days=3))

    assert not may_be_mailed(customer)
    assert late.superseded_at == now


def test_a_no_wins_over_a_yes_from_a_clock_that_is_ahead(now):
    customer = CustomerFactory()
    agree(customer, now, stated_at=now + timedelta(hours=2))

    take_back(customer, now)

    assert not may_be_mailed(customer)


@pytest.mark.parametrize("days", [0, -3])
def test_recording_one_statement_twice_keeps_one_row(days, now):
    customer = CustomerFactory()
    take_back(customer, now - timedelta(days=1))
    agree(customer, now, stated_at=now + timedelta(days=days))

    agree(customer, now, stated_at=now + timedelta(days=days))

    assert Consent.objects.filter(status=ConsentStatus.GRANTED).count() == 1


def test_saying_yes_again_after_a_withdrawal_counts(now):
    customer = CustomerFactory()
    take_back(customer, now - timedelta(days=1))

    agree(customer, now)

    assert may_be_mailed(customer)
    assert Consent.objects.filter(customer=customer, superseded_at=None).count() == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"source": ""}, "source"),
        ({"wording": " "}, "wording"),
        ({"wording": "a\x00b"}, "wording"),
        ({"stated_at": None}, "stated_at"),
    ],
)
def test_a_yes_without_proof_is_refused(change, field, now):
    customer = CustomerFactory()

    with pytest.raises(InvalidInput) as refusal:
        agree(customer, now, **change)

    assert refusal.value.detail["field"] == field
    assert Consent.objects.count() == 0


def test_an_unknown_purpose_is_refused(now):
    with pytest.raises(InvalidInput):
        consent.withdraw(customer=CustomerFactory(), purpose="everything", source="link", at=now)

    assert Consent.objects.count() == 0
