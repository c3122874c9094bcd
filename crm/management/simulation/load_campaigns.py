"""Writes the simulated shop's campaigns: a win-back that ended weeks ago, and a draft ready to launch."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from campaigns.choices import (
    CampaignKind,
    CampaignStatus,
    CouponStatus,
    EngagementKind,
    MessageStatus,
    OfferKind,
    SuppressionReason,
)
from campaigns.models import Campaign, Coupon, Engagement, Message, Offer
from campaigns.services import campaigns, coupons, suppression, unsubscribe
from campaigns.services.enrolment import enrol
from crm.management.simulation import story
from crm.management.simulation.purchases import GAMMA, Order, Q, order
from customers.models import Purchase, Segment, SegmentMembership
from feedback.models import Survey

if TYPE_CHECKING:
    from crm.management.simulation.load import World

Record = Callable[["World", Iterable[Order]], list[Purchase]]
DAYS_AGO, LAPSED_DAYS = 42, 200
REDEEMED, CLICKED, UNSUBSCRIBED, BOUNCED = 0.11, 0.14, 0.012, 0.012
SALT = "haru-autumn"
A_MINUTE = 60  # mails
NO_MAILBOX = "550 5.1.1 no such mailbox"
BATCH = 4000


def run(world: "World", survey: Survey, record: Record) -> None:
    """The win-back, what came of it, and the draft."""
    sent = _win_back(world, survey)
    _reactions(world, sent)
    _redemptions(world, sent, record)
    _draft(world)


def _win_back(world: "World", survey: Survey) -> list[Message]:
    """Enrol those who had lapsed at the launch as a launch does; then what the mail server would have said."""
    launched = _morning(world)
    segment = Segment.objects.get(key="win-back")
    _lapsed(world, segment, launched)
    offer = Offer.objects.create(
        name="15% OFF", kind=OfferKind.PERCENT, value=Decimal(15), minimum_basket=Decimal(20), valid_days=40
    )
    campaign = campaigns.create_campaign(
        name=story.WIN_BACK_NAME,
        kind=CampaignKind.WIN_BACK,
        segment=segment,
        variants=story.WIN_BACK,
        at=launched,
        control_share=Decimal("0.2"),
        offer=offer,
        survey=survey,
        by=world.staff[0],
    )
    Campaign.objects.filter(pk=campaign.pk).update(
        salt=SALT, status=CampaignStatus.RUNNING, launched_at=launched, launched_by=world.staff[0]
    )
    campaign.refresh_from_db()
    enrol(campaign=campaign, at=launched)
    sent = _deliver(world, campaign, launched)
    Campaign.objects.filter(pk=campaign.pk).update(
        status=CampaignStatus.FINISHED, finished_at=launched + timedelta(minutes=25)
    )
    return sent


def _morning(world: "World") -> datetime:
    """Ten o'clock by the shop's clock."""
    day = world.now.astimezone(world.shop.zone) - timedelta(days=DAYS_AGO)
    return day.replace(hour=10, minute=0, second=0, microsecond=0)


def _lapsed(world: "World", segment: Segment, launched: datetime) -> None:
    """Who had not bought for more than half a year then was in the segment; the night ends the stay of those who came back."""
    last: dict[int, datetime] = {}
    for one in world.orders:
        if one.at < launched:
            last[one.number] = one.at
    quiet_since = launched - timedelta(days=LAPSED_DAYS)
    SegmentMembership.objects.bulk_create(
        [
            SegmentMembership(
                segment=segment,
                customer=world.customers[number],
                entered_at=launched - timedelta(hours=8),
                rule_version=segment.rule_version,
            )
            for number, at in sorted(last.items())
            if at < quiet_since
        ],
        batch_size=BATCH,
    )


def _deliver(world: "World", campaign: Campaign, launched: datetime) -> list[Message]:
    """What the mail server said: a few addresses are gone, one reply was lost, the others got their mail."""
    chance = world.chance(20)
    ledger = Message.objects.filter(campaign=campaign)
    waiting = list(ledger.filter(status=MessageStatus.PENDING).order_by("pk").values_list("pk", "address"))
    lost = waiting[len(waiting) // 2][0]
    bounced = {pk: address for pk, address in waiting if pk != lost and chance.random() < BOUNCED}
    ledger.filter(pk=lost).update(status=MessageStatus.UNKNOWN, reason="reply_lost", attempts=1)
    for address in bounced.values():
        reason = SuppressionReason.BOUNCED
        suppression.suppress(address=address, reason=reason, at=launched, detail=NO_MAILBOX)
    ledger.filter(pk__in=bounced).update(
        status=MessageStatus.FAILED, reason="refused_rcpt", smtp_reply=NO_MAILBOX, attempts=1
    )
    taken = [pk for pk, _ in waiting if pk != lost and pk not in bounced]
    for minute in range(len(taken) // A_MINUTE + 1):
        ledger.filter(pk__in=taken[minute * A_MINUTE : (minute + 1) * A_MINUTE]).update(
            status=MessageStatus.SENT,
            smtp_reply="250 OK",
            attempts=1,
            sent_at=launched + timedelta(minutes=minute),
        )
    minted = Coupon.objects.filter(enrolment__campaign=campaign, status=CouponStatus.RESERVED)
    minted.filter(enrolment__message__in=bounced).update(status=CouponStatus.CANCELLED)
    minted.update(status=CouponStatus.ISSUED)
    sent = ledger.filter(status=MessageStatus.SENT).select_related("customer", "campaign")
    return list(sent.order_by("pk"))


def _reactions(world: "World", sent: list[Message]) -> None:
    """Clicks, and a few who want no more mail."""
    chance = world.chance(21)
    clicks = []
    for message in sent:
        assert message.sent_at is not None
        at = message.sent_at + timedelta(minutes=20, hours=float(chance.exponential(14)))
        if chance.random() < CLICKED:
            clicks.append(
                Engagement(
                    message=message,
                    kind=EngagementKind.CLICKED,
                    happened_at=at,
                    url="https://haru.example.com/autumn",
                )
            )
        if chance.random() < UNSUBSCRIBED:
            unsubscribe.unsubscribe(message=message, at=at, source="Unsubscribe link")
    Engagement.objects.bulk_create(clicks)


def _redemptions(world: "World", sent: list[Message], record: Record) -> None:
    """The planted effect: one in nine of those mailed comes back with the coupon, beyond whoever would have."""
    chance, launched = world.chance(22), _morning(world)
    number_of = {customer.pk: place for place, customer in enumerate(world.customers)}
    codes = dict(Coupon.objects.filter(status=CouponStatus.ISSUED).values_list("enrolment_id", "code"))
    drawn = [message for message in sent if chance.random() < REDEEMED]
    yesterday = world.today - timedelta(days=1)
    made: list[tuple[Order, str]] = []
    for message in drawn:
        person = world.persons[number_of[message.customer_id]]
        day = world.shop.business_date(launched) + timedelta(days=int(chance.integers(1, 30)))
        scale = chance.gamma(Q, 1 / GAMMA)
        one = order(chance, person, day, scale=scale, last=yesterday, zone=world.shop.zone, rates=world.rates)
        made.append((one, codes[message.enrolment_id]))
    made.sort(key=lambda pair: pair[0].at)
    purchases = record(world, [one for one, _ in made])
    for purchase, (one, code) in zip(purchases, made, strict=True):
        coupons.redeem(code=code, order_ref=purchase.external_id, at=one.at)


def _draft(world: "World") -> None:
    offer = Offer.objects.create(
        name="$10 OFF", kind=OfferKind.AMOUNT, value=Decimal(10), currency="USD",
        minimum_basket=Decimal(40), valid_days=30,
    )  # fmt: skip
    campaigns.create_campaign(
        name=story.SECOND_PURCHASE_NAME,
        kind=CampaignKind.SECOND_PURCHASE,
        segment=Segment.objects.get(key="going-quiet"),
        variants=story.SECOND_PURCHASE,
        at=world.now,
        control_share=Decimal("0.1"),
        offer=offer,
        by=world.staff[2],
    )
