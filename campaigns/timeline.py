"""What campaigns know of a customer's story: mails, what was not sent and why, coupons used, goodbyes."""

from datetime import datetime

from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext as _

from campaigns.choices import REASON_WORDS, EngagementKind, MessageStatus
from campaigns.core import codes
from campaigns.models import Engagement, Message
from customers.core import timeline
from customers.core.timeline import TimelineItem

_ICONS = {
    MessageStatus.SENT: "mail",
    MessageStatus.FAILED: "unsubscribe",
    MessageStatus.UNKNOWN: "contact_support",
    MessageStatus.SUPPRESSED: "block",
    MessageStatus.HELD_OUT: "science",
}


def items(customer_id: int, before: datetime | None, limit: int) -> list[TimelineItem]:
    """Newest first, in two queries."""
    found = _mails(customer_id, before, limit) + _engagements(customer_id, before, limit)
    return sorted(found, key=lambda item: (-item.at.timestamp(), item.key))[:limit]


def _mails(customer_id: int, before: datetime | None, limit: int) -> list[TimelineItem]:
    rows = (
        Message.objects.filter(customer=customer_id, status__in=list(_ICONS))
        .annotate(happened=Coalesce("sent_at", "due_at"))
        .select_related("campaign", "enrolment__coupon")
        .order_by("-happened", "-pk")
    )
    if before is not None:
        rows = rows.filter(happened__lt=before)
    return [_mail(message) for message in rows[:limit]]


def _mail(message: Message) -> TimelineItem:
    status = MessageStatus(message.status)
    coupon = getattr(message.enrolment, "coupon", None)
    detail = [str(status.label)]
    if message.reason:
        detail.append(str(REASON_WORDS.get(message.reason, message.reason)))
    if coupon is not None and status in (MessageStatus.SENT, MessageStatus.UNKNOWN):
        detail.append(codes.display(coupon.code))
    return TimelineItem(
        at=message.happened,  # type: ignore[attr-defined]  # annotated
        kind="mail",
        icon=_ICONS[status],
        title=_("Campaign: %(name)s") % {"name": message.campaign.name},
        detail=" · ".join(detail),
        url=reverse("crm:campaign", args=[message.campaign_id]),
        key=f"message:{message.pk}",
    )


def _engagements(customer_id: int, before: datetime | None, limit: int) -> list[TimelineItem]:
    kinds = {
        EngagementKind.REDEEMED: ("coupon", "redeem"),
        EngagementKind.UNSUBSCRIBED: ("consent", "do_not_disturb_on"),
        EngagementKind.CLICKED: ("mail", "ads_click"),
    }
    rows = (
        Engagement.objects.filter(message__customer=customer_id, kind__in=list(kinds))
        .select_related("message__campaign")
        .order_by("-happened_at", "-pk")
    )
    if before is not None:
        rows = rows.filter(happened_at__lt=before)
    return [
        TimelineItem(
            at=row.happened_at,
            kind=kinds[EngagementKind(row.kind)][0],
            icon=kinds[EngagementKind(row.kind)][1],
            title=str(EngagementKind(row.kind).label),
            detail=row.message.campaign.name,
            url=reverse("crm:campaign", args=[row.message.campaign_id]),
            key=f"engagement:{row.pk}",
        )
        for row in rows[:limit]
    ]


def register() -> None:
    timeline.register("campaigns", items, kinds=["mail", "coupon", "consent"])
