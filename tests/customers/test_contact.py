from datetime import date, timedelta

import pytest

from crm.common.errors import InvalidInput
from customers.choices import FollowUpStatus
from customers.models import FollowUp, Interaction
from customers.services import contact
from tests.factories import CustomerFactory, FollowUpFactory

pytestmark = pytest.mark.django_db


def log(now, staff, **changes):
    said = {"kind": "call", "note": "Asked about delivery.", "occurred_at": now, **changes}
    return contact.log_interaction(customer=CustomerFactory(), staff=staff, at=now, **said)


def test_a_conversation_is_noted(now, staff):
    made = log(now, staff, note=" Line one\r\nLine two\u202e ", direction="inbound", outcome="complaint")

    stored = Interaction.objects.get()
    assert stored == made
    assert stored.note == "Line one\nLine two"
    assert (stored.direction, stored.outcome, stored.staff) == ("inbound", "complaint", staff)
    assert FollowUp.objects.count() == 0


def test_a_next_step_is_owned_by_who_promised_it(now, staff):
    made = log(now, staff, next_step="Call back", next_step_due=date(2026, 3, 9))

    promised = FollowUp.objects.get()
    assert (promised.text, promised.due_on, promised.status) == ("Call back", date(2026, 3, 9), "open")
    assert (promised.assigned_to, promised.interaction, promised.customer) == (staff, made, made.customer)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "telepathy"}, "kind"),
        ({"direction": "up"}, "direction"),
        ({"outcome": "ok"}, "outcome"),
        ({"note": " "}, "note"),
        ({"note": "x" * 5001}, "note"),
        ({"note": "a\x00b"}, "note"),
        ({"next_step": "Call back"}, "next_step_due"),
        ({"next_step": " ", "next_step_due": date(2026, 3, 9)}, "next_step"),
        ({"occurred_at": None}, "occurred_at"),
    ],
)
def test_a_malformed_note_is_refused_whole(change, field, now, staff):
    with pytest.raises(InvalidInput) as refusal:
        log(now, staff, **change)

    assert refusal.value.detail["field"] == field
    assert Interaction.objects.count() == 0


def test_a_next_step_is_closed_once(now):
    step = FollowUpFactory()

    contact.close_follow_up(follow_up=step, status=FollowUpStatus.DONE, at=now)
    with pytest.raises(contact.FollowUpClosed):
        contact.close_follow_up(follow_up=step, status=FollowUpStatus.CANCELLED, at=now + timedelta(days=1))

    step.refresh_from_db()
    assert (step.status, step.closed_at) == (FollowUpStatus.DONE, now)


def test_a_next_step_is_not_closed_by_opening_it(now):
    step = FollowUpFactory()

    with pytest.raises(InvalidInput):
        contact.close_follow_up(follow_up=step, status=FollowUpStatus.OPEN, at=now)

    step.refresh_from_db()
    assert step.status == FollowUpStatus.OPEN


def test_what_is_due_today_is_due_and_what_is_closed_is_not(now):
    today = date(2026, 3, 2)
    due = FollowUpFactory(due_on=today)
    FollowUpFactory(due_on=today + timedelta(days=1))
    FollowUpFactory(due_on=today, status=FollowUpStatus.DONE, closed_at=now)

    assert list(FollowUp.objects.due(today)) == [due]
