"""What campaigns know of a customer's story: mails, what was not sent and why, coupons used, goodbyes."""

from django.urls import reverse
from django.utils.translation import gettext as _

from campaigns.choices import REASON_WORDS, EngagementKind, MessageStatus
from campaigns.core import codes
from customers.core import timeline
from customers.core.timeline import TimelineItem, Told

_MAIL_ICONS = {
    MessageStatus.SENT: "mail",
    MessageStatus.FAILED: "unsubscribe",
    MessageStatus.UNKNOWN: "contact_support",
    MessageStatus.SUPPRESSED: "block",
    MessageStatus.HELD_OUT: "science",
}
_ENGAGEMENT_ICONS = {
    EngagementKind.REDEEMED: "redeem",
    EngagementKind.UNSUBSCRIBED: "do_not_disturb_on",
    EngagementKind.CLICKED: "ads_click",
}


def _mail(told: Told) -> TimelineItem:
    facts, status = told.facts, MessageStatus(told.facts["status"])
    detail = [str(status.label)]
    if facts["reason"]:
        detail.append(str(REASON_WORDS.get(facts["reason"], facts["reason"])))
    if facts["code"] and status in (MessageStatus.SENT, MessageStatus.UNKNOWN):
        detail.append(codes.display(facts["code"]))
    return told.item(
        icon=_MAIL_ICONS[status],
        title=_("Campaign: %(name)s") % {"name": facts["campaign"]},
        detail=" · ".join(detail),
        url=reverse("crm:campaign", args=[facts["campaign_id"]]),
    )


def _engagement(told: Told) -> TimelineItem:
    did = EngagementKind(told.facts["did"])
    return told.item(
        icon=_ENGAGEMENT_ICONS[did],
        title=str(did.label),
        detail=told.facts["campaign"],
        url=reverse("crm:campaign", args=[told.facts["campaign_id"]]),
    )


def register() -> None:
    timeline.register("campaigns/story_mails", kinds=["mail"], words={"message": _mail})
    timeline.register(
        "campaigns/story_engagements",
        kinds=["coupon", "consent", "mail"],
        words={"engagement": _engagement},
    )
