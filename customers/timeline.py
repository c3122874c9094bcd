"""What the customer's timeline shows of people and facts. One query a kind, whatever the customer's history."""

from datetime import datetime
from decimal import Decimal

from django.db.models import Case, F, QuerySet, When
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from crm.common import money
from customers.choices import ConsentStatus
from customers.core import timeline
from customers.core.timeline import TimelineItem
from customers.models import Consent, Interaction, Purchase, Refund, SegmentMembership

_CONTACT_ICONS = {
    "call": "call",
    "email": "mail",
    "chat": "chat",
    "meeting": "groups",
    "visit": "storefront",
    "note": "sticky_note_2",
}


def _page(rows: QuerySet, column: str, before: datetime | None, limit: int) -> QuerySet:
    """The newest rows by a time column, strictly before an instant."""
    if before is not None:
        rows = rows.filter(**{f"{column}__lt": before})
    return rows.order_by(f"-{column}", "-pk")[:limit]


def _money(amount: Decimal, currency: str) -> str:
    return money.display(amount, currency, get_language() or "en")


def purchases(customer_id: int, before: datetime | None, limit: int) -> list[TimelineItem]:
    rows = Purchase.objects.filter(customer_id=customer_id)
    return [_purchase(row) for row in _page(rows, "purchased_at", before, limit)]


def _purchase(purchase: Purchase) -> TimelineItem:
    about = [_("Order %s") % purchase.external_id, purchase.sales_channel]
    if purchase.base_amount is None:
        about.append(_("no exchange rate: not counted"))
    return TimelineItem(
        at=purchase.purchased_at,
        kind="purchase",
        icon="shopping_bag",
        title=_("Bought for %s") % _money(purchase.amount, purchase.currency),
        detail=" · ".join(part for part in about if part),
        key=f"purchase:{purchase.pk}",
    )


def refunds(customer_id: int, before: datetime | None, limit: int) -> list[TimelineItem]:
    rows = Refund.objects.filter(purchase__customer_id=customer_id).select_related("purchase")
    return [_refund(row) for row in _page(rows, "refunded_at", before, limit)]


def _refund(refund: Refund) -> TimelineItem:
    order = _("Order %s") % refund.purchase.external_id
    return TimelineItem(
        at=refund.refunded_at,
        kind="refund",
        icon="undo",
        title=_("%s refunded") % _money(refund.amount, refund.purchase.currency),
        detail=f"{order} · {refund.reason}" if refund.reason else order,
        key=f"refund:{refund.pk}",
    )


def interactions(customer_id: int, before: datetime | None, limit: int) -> list[TimelineItem]:
    rows = Interaction.objects.filter(customer_id=customer_id).select_related("staff")
    return [_interaction(row) for row in _page(rows, "occurred_at", before, limit)]


def _interaction(interaction: Interaction) -> TimelineItem:
    said = [interaction.get_kind_display(), interaction.get_direction_display()]
    if interaction.outcome != "none":
        said.append(interaction.get_outcome_display())
    return TimelineItem(
        at=interaction.occurred_at,
        kind="interaction",
        icon=_CONTACT_ICONS.get(interaction.kind, "forum"),
        title=" · ".join(str(part) for part in said),
        detail=interaction.note,
        author=str(interaction.staff or ""),
        key=f"interaction:{interaction.pk}",
    )


def consents(customer_id: int, before: datetime | None, limit: int) -> list[TimelineItem]:
    rows = Consent.objects.filter(customer_id=customer_id).select_related("recorded_by")
    return [_consent(row) for row in _page(rows, "stated_at", before, limit)]


def _consent(consent: Consent) -> TimelineItem:
    yes = consent.status == ConsentStatus.GRANTED
    words = _("Agreed to: %s") if yes else _("Took back consent to: %s")
    return TimelineItem(
        at=consent.stated_at,
        kind="consent",
        icon="verified_user" if yes else "do_not_disturb_on",
        title=words % consent.get_purpose_display(),
        detail=consent.source,
        author=str(consent.recorded_by or ""),
        key=f"consent:{consent.pk}",
    )


def segments(customer_id: int, before: datetime | None, limit: int) -> list[TimelineItem]:
    """Entering and leaving, from one query: a stay counts at its end once that is in the past."""
    rows = SegmentMembership.objects.filter(customer_id=customer_id).select_related("segment")
    ended = {"left_at__isnull": False} if before is None else {"left_at__lt": before}
    if before is not None:
        rows = rows.filter(entered_at__lt=before)
    rows = rows.annotate(latest=Case(When(**ended, then=F("left_at")), default=F("entered_at")))
    stays = list(rows.order_by("-latest", "-pk")[:limit])
    told = [_entered(stay) for stay in stays]
    told += [
        _left(stay, stay.left_at) for stay in stays if stay.left_at and (not before or stay.left_at < before)
    ]
    told.sort(key=lambda item: item.at, reverse=True)
    return told[:limit]


def _entered(stay: SegmentMembership) -> TimelineItem:
    return TimelineItem(
        at=stay.entered_at,
        kind="segment",
        icon="login",
        title=_("Entered the segment %s") % stay.segment.title,
        url=reverse("crm:why", args=[stay.customer_id, stay.segment_id]),
        key=f"entered:{stay.pk}",
    )


def _left(stay: SegmentMembership, at: datetime) -> TimelineItem:
    return TimelineItem(
        at=at,
        kind="segment",
        icon="logout",
        title=_("Left the segment %s") % stay.segment.title,
        url=reverse("crm:why", args=[stay.customer_id, stay.segment_id]),
        key=f"left:{stay.pk}",
    )


def register() -> None:
    """Tell it on every customer's timeline; called once at start-up. One provider a kind, so that a filtered
    timeline asks only for what it shows."""
    timeline.register("customers.purchases", purchases, kinds={"purchase"})
    timeline.register("customers.refunds", refunds, kinds={"refund"})
    timeline.register("customers.interactions", interactions, kinds={"interaction"})
    timeline.register("customers.consents", consents, kinds={"consent"})
    timeline.register("customers.segments", segments, kinds={"segment"})
