"""Each way a mail can end, on a real SMTP server."""

from datetime import timedelta

import pytest

from campaigns.choices import CouponStatus, MessageStatus
from campaigns.models import Coupon, Message, Suppression
from campaigns.services import campaigns as campaigning
from campaigns.services import delivery, suppression, transport
from customers.models import Consent
from customers.services import consent


def test_a_launched_campaign_reaches_every_consenting_member_once(member, launched, deliver, sink):
    people = [member() for _ in range(3)]
    campaign = launched()

    deliver()
    deliver()

    assert sorted(sink.addresses()) == sorted(person.email for person in people)
    assert set(campaign.messages.values_list("status", "attempts")) == {("sent", 1)}
    assert {mail.message_id for mail in sink.accepted} == set(
        campaign.messages.values_list("message_id", flat=True)
    )
    assert sink.connections == 1


def test_a_sent_mail_issues_its_coupon_and_carries_its_code(member, launched, deliver, sink):
    person = member()
    launched()

    deliver()

    coupon = Coupon.objects.get(customer=person)
    assert coupon.status == CouponStatus.ISSUED
    shown = "-".join(coupon.code[at : at + 4] for at in range(0, 16, 4))
    assert shown in sink.to(person.email).get_body(("plain",)).get_content()


# stage, address's reply, then: status, reason, tries, coupon, address blocked
OUTCOMES = [
    ("rcpt", "450 4.2.1 Busy", "pending", "", 1, "reserved", False),
    ("rcpt", "451 4.7.1 Greylisted", "pending", "", 1, "reserved", False),
    ("rcpt", "421 4.3.2 Going down", "pending", "", 1, "reserved", False),
    ("rcpt", "550 5.1.1 No such user", "failed", "refused_rcpt", 1, "cancelled", True),
    ("rcpt", "550 No such user", "failed", "refused_rcpt", 1, "cancelled", True),
    ("rcpt", "550 5.7.1 Policy", "failed", "refused_rcpt", 1, "cancelled", False),
    ("rcpt", "552 5.2.2 Mailbox full", "failed", "refused_rcpt", 1, "cancelled", False),
    ("dot", "451 4.3.0 Try later", "pending", "", 1, "reserved", False),
    ("dot", "421 4.3.2 Going down", "pending", "", 1, "reserved", False),
    ("dot", "554 5.6.0 Content", "failed", "refused_dot", 1, "cancelled", False),
]


@pytest.mark.parametrize(("stage", "reply", "status", "reason", "tries", "coupon", "blocked"), OUTCOMES)
def test_a_reply_ends_its_own_mail_and_no_other(
    stage, reply, status, reason, tries, coupon, blocked, member, launched, deliver, sink, now
):
    odd, *others = [member() for _ in range(3)]
    launched()
    sink.refuse[stage][odd.email] = reply

    deliver()

    message = Message.objects.get(customer=odd)
    assert (message.status, message.reason, message.attempts) == (status, reason, tries)
    assert message.smtp_reply == reply
    assert message.due_at == (now + timedelta(minutes=1) if status == "pending" else now)
    assert Coupon.objects.get(customer=odd).status == coupon
    assert Suppression.objects.exists() == blocked
    assert sorted(sink.addresses()) == sorted(person.email for person in others)


def test_a_connection_cut_after_the_final_dot_is_unknown_and_never_sent_again(
    member, launched, deliver, sink, now
):
    odd, other = member(), member()
    launched()
    sink.drop_after_data.add(odd.email)

    deliver()
    delivery.sweep(now=now + timedelta(days=1))
    deliver(now + timedelta(days=1))

    message = Message.objects.get(customer=odd)
    assert (message.status, message.reason) == ("unknown", "reply_lost")
    assert Coupon.objects.get(customer=odd).status == CouponStatus.ISSUED
    assert sorted(sink.addresses()) == sorted([odd.email, other.email])


def test_a_server_silent_after_the_final_dot_is_unknown(member, launched, deliver, sink, settings):
    settings.SMTP_TIMEOUT = 1
    odd, other = member(), member()
    launched()
    sink.hang.add(odd.email)

    deliver()

    assert Message.objects.get(customer=odd).status == MessageStatus.UNKNOWN
    assert Message.objects.get(customer=other).status == MessageStatus.SENT


def test_a_connection_cut_at_the_recipient_costs_that_mail_a_try(member, launched, deliver, sink, now):
    odd, other = member(), member()
    launched()
    sink.drop_at["rcpt"].add(odd.email)

    deliver()

    message = Message.objects.get(customer=odd)
    assert (message.status, message.attempts) == ("pending", 1)
    assert message.due_at == now + timedelta(minutes=1)
    assert sink.addresses() == [other.email]


def test_refusals_for_now_back_off_and_fail_in_the_end(member, launched, deliver, sink, now):
    person = member()
    launched()
    sink.refuse["rcpt"][person.email] = "450 4.2.1 Busy"
    waits, at = [], now

    for _ in range(6):
        deliver(at)
        message = Message.objects.get()
        waits.append((message.due_at - at).total_seconds() / 60)
        at = message.due_at

    assert waits[:5] == [1, 5, 30, 120, 720]
    assert (message.status, message.reason, message.attempts) == ("failed", "gave_up", 6)


def test_a_mail_server_that_is_down_costs_no_message_a_try(member, launched, deliver, sink):
    member()
    launched()
    sink.stop()

    counts = deliver()

    assert "refused" in counts.away.lower()
    assert Message.objects.values_list("status", "attempts").get() == ("pending", 0)
    sink.start()
    deliver()
    assert Message.objects.get().status == MessageStatus.SENT


def test_a_server_that_cuts_every_connection_opens_the_circuit(member, launched, deliver, sink):
    for _ in range(20):
        member()
    launched()
    sink.drop_at["mail"].add("*")

    counts = deliver()

    assert "5 connections in a row" in counts.away
    assert sink.connections == 5
    assert set(Message.objects.values_list("status", "attempts")) == {("pending", 0)}


def test_without_a_mail_server_nothing_is_claimed(member, launched, deliver, settings):
    member()
    launched()
    settings.SMTP_URL = ""

    with pytest.raises(transport.NoMailServer):
        deliver()

    assert Message.objects.get().status == MessageStatus.PENDING


def test_a_poison_text_fails_alone(member, launched, deliver, sink):
    odd, other = member(language="ko"), member()
    campaign = launched(variants={"en": ("Hi", "Hello"), "ko": ("안녕", "{{ name }}")}, offer=None)
    campaign.variants.filter(language="ko").update(body="{{ broken")

    deliver()

    message = Message.objects.get(customer=odd)
    assert (message.status, message.reason) == ("failed", "cannot_be_made")
    assert "BadText" in message.smtp_reply
    assert sink.addresses() == [other.email]


# -- who may be mailed is decided at the last moment ------------------------------------------------------------


def _interrupt(monkeypatch, action):
    """Let ``action`` happen between claim and send of the batch's first mail."""
    original, done = delivery.load, []

    def load(ids):
        if not done:
            done.append(True)
            action()
        return original(ids)

    monkeypatch.setattr(delivery, "load", load)


def test_who_withdraws_between_claim_and_send_is_not_mailed(
    member, launched, deliver, sink, now, monkeypatch
):
    person, other = member(), member()
    launched()
    _interrupt(
        monkeypatch,
        lambda: consent.withdraw(customer=person, purpose="marketing", source="phone", at=now),
    )

    deliver()

    message = Message.objects.get(customer=person)
    assert (message.status, message.reason) == ("suppressed", "consent_withdrawn")
    assert Coupon.objects.get(customer=person).status == CouponStatus.CANCELLED
    assert sink.addresses() == [other.email]


def test_the_last_check_alone_keeps_mail_from_who_has_no_consent(
    member, launched, deliver, sink, now, monkeypatch
):
    person = member()
    launched()
    _interrupt(monkeypatch, lambda: Consent.objects.filter(customer=person).update(superseded_at=now))

    deliver()

    assert Message.objects.values_list("status", "reason").get() == ("suppressed", "consent_withdrawn")
    assert sink.accepted == []


def test_the_last_check_alone_keeps_mail_from_a_blocked_address(
    member, launched, deliver, sink, now, monkeypatch
):
    person = member()
    launched()
    _interrupt(
        monkeypatch,
        lambda: suppression.suppress(address=person.email_normalised, reason="complained", at=now),
    )

    deliver()

    assert Message.objects.values_list("status", "reason").get() == ("suppressed", "address_blocked")
    assert sink.accepted == []


def test_a_block_for_surveys_does_not_stop_marketing(member, launched, deliver, sink, now):
    person = member()
    suppression.suppress(address=person.email_normalised, purpose="survey", reason="unsubscribed", at=now)
    launched()

    deliver()

    assert sink.addresses() == [person.email]


def test_mail_does_not_go_to_an_address_that_is_no_longer_the_customers(
    member, launched, deliver, sink, monkeypatch
):
    person = member()
    launched()

    def move():
        person.email = person.email_normalised = "new@mail.example"
        person.save()

    _interrupt(monkeypatch, move)

    deliver()

    assert Message.objects.values_list("status", "reason").get() == ("suppressed", "address_changed")
    assert sink.accepted == []


def test_pausing_between_claim_and_send_leaves_the_mail_waiting(
    member, launched, deliver, sink, monkeypatch, now
):
    member()
    campaign = launched()
    _interrupt(monkeypatch, lambda: campaigning.pause(campaign=campaign))

    deliver()

    assert Message.objects.values_list("status", "reason").get() == ("pending", "")
    assert sink.accepted == []
    campaigning.resume(campaign=campaign, at=now)
    deliver()
    assert Message.objects.get().status == MessageStatus.SENT


def test_a_worker_that_slept_through_its_lease_sends_nothing(
    member, launched, deliver, sink, now, monkeypatch
):
    member()
    launched()
    _interrupt(monkeypatch, lambda: delivery.sweep(now=now + timedelta(minutes=2)))

    counts = deliver()

    assert counts.by_status["lost"] == 1
    assert counts.by_status["sent"] == 1  # claimed afresh, in the next batch
    assert len(sink.accepted) == 1


def test_a_decision_too_old_at_data_is_not_acted_on(member, launched, deliver, sink, monkeypatch, now):
    member()
    launched()
    monkeypatch.setattr(delivery, "START_WITHIN", -1)

    deliver()

    message = Message.objects.get()
    assert (message.status, message.attempts) == ("pending", 0)
    assert message.due_at == now + timedelta(seconds=30)
    assert sink.accepted == []


def test_a_worker_told_to_stop_gives_its_claims_back(member, launched, deliver, sink):
    for _ in range(3):
        member()
    launched()

    deliver(stopping=lambda: len(sink.accepted) == 1)

    assert sorted(Message.objects.values_list("status", flat=True)) == ["pending", "pending", "sent"]


# -- cost --------------------------------------------------------------------------------------------------------


def test_a_mail_costs_two_statements_more_and_nothing_else(
    member, launched, deliver, django_assert_num_queries
):
    for _ in range(3):
        member()
    launched()
    with django_assert_num_queries(3 * 2 + BATCH_QUERIES):
        deliver()
    for _ in range(30):
        member()
    launched()

    with django_assert_num_queries(30 * 2 + 3 * 2 + BATCH_QUERIES):
        deliver()


BATCH_QUERIES = 13
