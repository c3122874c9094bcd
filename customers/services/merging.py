"""Two records of one person become one."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils.translation import gettext_lazy as _

from crm.common import sql
from crm.common.errors import DomainError
from crm.common.models import User
from customers import events
from customers.choices import ConsentStatus, SegmentStatus
from customers.models import (
    Consent,
    Customer,
    FollowUp,
    FormerRecord,
    Interaction,
    Purchase,
    Segment,
    SegmentMembership,
)
from customers.services import audit

# Taken from the other record where the kept one has nothing.
_FILLED = ("given_name", "family_name", "phone", "country")


class MergeRefused(DomainError):
    """The two records cannot become one; the message says why."""

    code = "merge_refused"


@transaction.atomic
def merge_customers(*, keep: Customer, other: Customer, by: User | None, at: datetime) -> Customer:
    """Move everything of ``other`` to ``keep``, as one change, and forget ``other``; returns the one kept.

    Contacts are those of ``keep``, its blanks filled from ``other``; they came when the earlier of the two came,
    by that one's channel. Of consent the stricter word stays: a withdrawal of either is in force, a yes only if it
    was given by the record whose address stays. Open stays in segments end; the next night looks again. What a
    customer can have only once, such as a campaign's mail, stays beside the kept one's with ``merged_from``.

    ``other`` is deleted and leaves a ``FormerRecord`` in a table of its own, so that imports, the API and old links
    still find ``keep``. A tombstone among the customers would have to be left out of every count and list by
    everybody for ever, and foreign keys would go on taking new facts for it; now PostgreSQL refuses them.

    Raises:
        MergeRefused: both are one record, or one of them is erased or merged already.
    """
    # Segments before customers, as the night locks them: a stay must not be opened for who is being deleted.
    _lock(Segment.objects.filter(status=SegmentStatus.ACTIVE).select_for_update(no_key=True))
    keep, other = _both(keep, other)
    kept_address = keep.email_normalised or other.email_normalised
    lost_address = other.email_normalised if keep.email_normalised else None
    withdrawn = _merge_consents(keep, other, at)
    _move(keep, other, at)
    events.customers_merged.send(
        sender=None,
        keep_id=keep.pk,
        other_id=other.pk,
        kept_address=kept_address,
        lost_address=lost_address,
        at=at,
    )
    sql.execute("customers/merged_away", {"customer": other.pk})
    _fill(keep, other)
    _remember(keep, other, by, at)
    for purpose in withdrawn:
        events.consent_withdrawn.send(sender=None, customer_id=keep.pk, purpose=purpose, at=at)
    audit.note(customer=keep, what=f"Merged #{other.pk} into this customer.", by=by, at=at)
    return keep


def _lock(rows: Any) -> list[Any]:
    return list(rows.order_by("pk"))


def _both(keep: Customer, other: Customer) -> tuple[Customer, Customer]:
    """Both as they are now, locked in the order of their ids."""
    if keep.pk == other.pk:
        raise MergeRefused(_("A customer cannot be merged with themselves."))
    found = {
        one.pk: one for one in _lock(Customer.objects.select_for_update().filter(pk__in=[keep.pk, other.pk]))
    }
    if len(found) < 2:
        raise MergeRefused(_("One of the two was merged already."))
    if any(one.erased_at for one in found.values()):
        raise MergeRefused(_("An erased customer is nobody any more, so there is nobody to merge."))
    return found[keep.pk], found[other.pk]


def _move(keep: Customer, other: Customer, at: datetime) -> None:
    """Facts and history of this app. The triggers mark both for the night."""
    SegmentMembership.objects.filter(customer=other, left_at=None).update(
        left_at=Greatest(at, F("entered_at"))
    )
    for model in (Purchase, Interaction, FollowUp, Consent, SegmentMembership, FormerRecord):
        model._default_manager.filter(customer=other).update(customer=keep)
    Customer.objects.filter(referred_by=other).exclude(pk=keep.pk).update(referred_by=keep)
    Customer.objects.filter(pk=keep.pk, referred_by=other).update(referred_by=None)


def _merge_consents(keep: Customer, other: Customer, at: datetime) -> list[str]:
    """Leave at most one current statement a purpose; returns the purposes ``keep`` had agreed to and has no more."""
    current = Consent.objects.filter(customer__in=[keep, other], superseded_at=None)
    said: dict[str, list[Consent]] = {}
    for one in current.order_by("stated_at", "pk"):
        said.setdefault(one.purpose, []).append(one)
    home = keep if keep.email_normalised or not other.email_normalised else other
    withdrawn = []
    for purpose, statements in said.items():
        stays = _strictest(statements, home)
        replaced = [one for one in statements if one is not stays]
        for one in replaced:
            Consent.objects.filter(pk=one.pk).update(superseded_at=Greatest(at, F("stated_at")))
        if any(one.status == ConsentStatus.GRANTED for one in replaced) and not _granted(stays):
            withdrawn.append(purpose)
    return withdrawn


def _granted(statement: Consent | None) -> bool:
    return statement is not None and statement.status == ConsentStatus.GRANTED


def _strictest(statements: Iterable[Consent], home: Customer) -> Consent | None:
    """The last no, else the yes of the record whose address stays, else nothing: somebody to be asked again."""
    stays = None
    for one in statements:  # oldest first
        if one.status == ConsentStatus.WITHDRAWN or (
            one.customer_id == home.pk and (stays is None or _granted(stays))
        ):
            stays = one
    return stays


def _fill(keep: Customer, other: Customer) -> None:
    """Blanks from ``other``, whose row is gone by now and gives its address and id free."""
    keep.refresh_from_db(fields=["referred_by"])
    for field in _FILLED:
        setattr(keep, field, getattr(keep, field) or getattr(other, field))
    if not keep.email:
        keep.email, keep.email_normalised = other.email, other.email_normalised
    keep.external_id = keep.external_id or other.external_id
    if other.referred_by_id != keep.pk:
        keep.referred_by_id = keep.referred_by_id or other.referred_by_id
    if other.acquired_at < keep.acquired_at:
        keep.acquired_at, keep.channel_id = other.acquired_at, other.channel_id or keep.channel_id
    keep.channel_id = keep.channel_id or other.channel_id
    keep.save()


def _remember(keep: Customer, other: Customer, by: User | None, at: datetime) -> None:
    FormerRecord.objects.create(
        customer=keep,
        former_id=other.pk,
        public_id=other.public_id,
        external_id=other.external_id if other.external_id != keep.external_id else None,
        email_normalised=other.email_normalised if other.email_normalised != keep.email_normalised else None,
        merged_at=at,
        merged_by=by,
    )
