"""What dies is put right, what errs is paused, what is done is finished, and staff decide about the unknown."""

from datetime import timedelta

import pytest

from campaigns.choices import CampaignStatus, CouponStatus, MessageStatus
from campaigns.models import Campaign, Coupon, Message
from campaigns.services import campaigns as campaigning
from campaigns.services import delivery
from tests.factories import UserFactory


def _left_behind(status, now):
    Message.objects.update(status=status, lease_token=7, leased_until=now - timedelta(seconds=1))


def test_a_claim_left_behind_waits_again(member, launched, now):
    member()
    launched()
    _left_behind(MessageStatus.CLAIMED, now)

    swept = delivery.sweep(now=now)

    assert (swept.freed, swept.silent) == (1, 0)
    assert Message.objects.get().status == MessageStatus.PENDING


def test_a_sending_left_behind_is_unknown_and_its_coupon_issued(member, launched, now):
    member()
    campaign = launched()
    _left_behind(MessageStatus.SENDING, now)

    swept = delivery.sweep(now=now)

    assert (swept.freed, swept.silent, swept.finished) == (0, 1, 1)
    assert Message.objects.values_list("status", "reason", "attempts").get() == ("unknown", "worker_lost", 1)
    assert Coupon.objects.get().status == CouponStatus.ISSUED
    campaign.refresh_from_db()
    assert (campaign.status, campaign.finished_at) == (CampaignStatus.FINISHED, now)


def test_a_lease_that_holds_is_left_alone(member, launched, now):
    member()
    launched()
    Message.objects.update(status="sending", lease_token=7, leased_until=now + timedelta(seconds=1))

    swept = delivery.sweep(now=now)

    assert (swept.freed, swept.silent, swept.finished) == (0, 0, 0)


def test_a_campaign_with_a_waiting_message_is_not_finished(member, launched, deliver, sink, now):
    person, _other = member(), member()
    campaign = launched()
    sink.refuse["rcpt"][person.email] = "450 4.2.1 Busy"
    deliver()

    delivery.sweep(now=now)

    campaign.refresh_from_db()
    assert campaign.status == CampaignStatus.RUNNING


def test_an_on_entry_campaign_keeps_running_with_nothing_to_send(member, launched, deliver, now):
    member()
    campaign = launched(trigger="on_entry")
    deliver()

    delivery.sweep(now=now)

    campaign.refresh_from_db()
    assert campaign.status == CampaignStatus.RUNNING


def test_too_many_refusals_pause_the_campaign(member, launched, deliver, sink, now):
    people = [member() for _ in range(120)]
    campaign = launched()
    for person in people[::2]:
        sink.refuse["rcpt"][person.email] = "550 5.7.1 Blocked"

    deliver()

    campaign.refresh_from_db()
    assert campaign.status == CampaignStatus.PAUSED
    assert campaign.paused_reason == "50 failed and 0 unknown of the last 100"
    assert Message.objects.filter(status="pending").count() == 20


def test_a_resumed_campaign_is_judged_anew(member, launched, deliver, sink, now):
    people = [member() for _ in range(120)]
    campaign = launched()
    for person in people[:100:2]:
        sink.refuse["rcpt"][person.email] = "550 5.7.1 Blocked"
    deliver()

    campaigning.resume(campaign=campaign, at=now + timedelta(hours=1))
    delivery.sweep(now=now + timedelta(hours=1))
    deliver(now + timedelta(hours=1))

    assert Message.objects.filter(status="sent").count() == 70
    campaign.refresh_from_db()
    assert campaign.status == CampaignStatus.RUNNING


def test_staff_send_an_unknown_again_with_the_same_message_id_and_coupon(
    member, launched, deliver, sink, now
):
    person, by = member(), UserFactory()
    launched()
    sink.drop_after_data.add(person.email)
    deliver()
    delivery.sweep(now=now)
    sink.drop_after_data.clear()
    later = now + timedelta(hours=1)

    delivery.resend(message=Message.objects.get(), by=by, at=later)
    deliver(later)

    message = Message.objects.get()
    assert (message.status, message.resent_by, message.resent_at) == ("sent", by, later)
    first, second = sink.accepted
    assert first.message_id == second.message_id == message.message_id
    assert Coupon.objects.count() == 1


@pytest.mark.parametrize("status", ["pending", "sent", "failed", "suppressed", "held_out"])
def test_only_an_unknown_message_is_sent_again(status, member, launched, now):
    member()
    launched()
    Message.objects.update(status=status, reason="x", sent_at=now if status == "sent" else None)

    with pytest.raises(delivery.NotUnknown):
        delivery.resend(message=Message.objects.get(), by=UserFactory(), at=now)

    assert Message.objects.values_list("status", "resent_at").get() == (status, None)


def test_an_unknown_of_a_stopped_campaign_is_not_sent_again(member, launched, now):
    member()
    campaign = launched()
    campaigning.stop(campaign=campaign, at=now)
    Message.objects.update(status="unknown", reason="worker_lost")

    with pytest.raises(delivery.NotUnknown):
        delivery.resend(message=Message.objects.get(), by=UserFactory(), at=now)

    assert Message.objects.get().status == "unknown"


def test_a_retry_of_a_stopped_campaign_is_swept_away(member, launched, now):
    member()
    campaign = launched()
    campaigning.stop(campaign=campaign, at=now)
    Message.objects.update(status="pending", reason="")

    delivery.sweep(now=now)

    assert Message.objects.values_list("status", "reason").get() == ("suppressed", "campaign_stopped")
    assert Campaign.objects.get().status == CampaignStatus.STOPPED
