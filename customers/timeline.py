"""What the customer's timeline shows of people and facts."""

from decimal import Decimal

from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from crm.common import money
from customers.choices import ConsentStatus, Direction, InteractionKind, Outcome, Purpose
from customers.core import timeline
from customers.core.timeline import TimelineItem, Told
from customers.models.consent import source_in_words
from customers.models.segments import in_words

_CONTACT_ICONS = {
    "call": "call",
    "email": "mail",
    "chat": "chat",
    "meeting": "groups",
    "visit": "storefront",
    "note": "sticky_note_2",
}


def _money(told: Told) -> str:
    return money.display(Decimal(told.facts["amount"]), told.facts["currency"], get_language() or "en")


def _purchase(told: Told) -> TimelineItem:
    facts = told.facts
    about = [_("Order %s") % facts["order"], facts["channel"]]
    if not facts["counted"]:
        about.append(_("no exchange rate: not counted"))
    return told.item(
        icon="shopping_bag",
        title=_("Bought for %s") % _money(told),
        detail=" · ".join(part for part in about if part),
    )


def _refund(told: Told) -> TimelineItem:
    order, reason = _("Order %s") % told.facts["order"], told.facts["reason"]
    return told.item(
        icon="undo",
        title=_("%s refunded") % _money(told),
        detail=f"{order} · {reason}" if reason else order,
    )


def _interaction(told: Told) -> TimelineItem:
    facts = told.facts
    said = [InteractionKind(facts["kind"]).label, Direction(facts["direction"]).label]
    if facts["outcome"] != Outcome.NONE:
        said.append(Outcome(facts["outcome"]).label)
    return told.item(
        icon=_CONTACT_ICONS.get(facts["kind"], "forum"),
        title=" · ".join(str(part) for part in said),
        detail=facts["note"],
        author=facts["staff"],
    )


def _consent(told: Told) -> TimelineItem:
    yes = told.facts["status"] == ConsentStatus.GRANTED
    words = _("Agreed to: %s") if yes else _("Took back consent to: %s")
    return told.item(
        icon="verified_user" if yes else "do_not_disturb_on",
        title=words % Purpose(told.facts["purpose"]).label,
        detail=source_in_words(told.facts["source"]),
        author=told.facts["staff"],
    )


def _entered(told: Told) -> TimelineItem:
    return told.item(icon="login", title=_("Entered the segment %s") % _segment(told), url=_why(told))


def _left(told: Told) -> TimelineItem:
    return told.item(icon="logout", title=_("Left the segment %s") % _segment(told), url=_why(told))


def _segment(told: Told) -> str:
    return in_words(told.facts["key"], told.facts["segment"])


def _why(told: Told) -> str:
    return reverse("crm:why", args=[told.facts["customer_id"], told.facts["segment_id"]])


def register() -> None:
    """Tell it on every customer's timeline; called once at start-up."""
    tell = timeline.register
    tell("customers/story_purchases", kinds=["purchase"], words={"purchase": _purchase})
    tell("customers/story_refunds", kinds=["refund"], words={"refund": _refund})
    tell("customers/story_interactions", kinds=["interaction"], words={"interaction": _interaction})
    tell("customers/story_consents", kinds=["consent"], words={"consent": _consent})
    tell("customers/story_segments", kinds=["segment"], words={"entered": _entered, "left": _left})
