"""Keeping segments: made, changed, archived."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Greatest

from crm.common.models import Shop, User
from customers import events
from customers.choices import SegmentStatus
from customers.core.builtin import BUILT_IN
from customers.models import Segment, SegmentMembership
from customers.services.segments.checking import DuplicateSegment, SegmentArchived, check_rule
from customers.services.segments.refreshing import refresh, refresh_one


@transaction.atomic
def create_segment(
    *,
    key: str,
    name: str,
    rule: object,
    at: datetime | None = None,
    by: User | None = None,
    description: str = "",
) -> Segment:
    """Keep a new segment. With ``at`` its members are found at once, else by the next refresh.

    Raises:
        BadSegmentRule: the rule cannot be understood.
        DuplicateSegment: another segment has this key or name.
    """
    check_rule(rule)
    try:
        with transaction.atomic():
            segment = Segment.objects.create(
                key=key, name=name, rule=rule, description=description, created_by=by
            )
    except IntegrityError as error:
        if Segment.objects.filter(key=key).exists() or Segment.objects.filter(name=name).exists():
            raise DuplicateSegment(key=key, name=name) from error
        raise
    if at is not None:
        refresh_one(segment, at)
    return segment


@transaction.atomic
def change_rule(*, segment: Segment, rule: object, at: datetime | None = None) -> Segment:
    """Give the segment another rule. With ``at`` its members are found at once, else by the next refresh.

    Raises:
        BadSegmentRule: the rule cannot be understood.
        SegmentArchived: the segment is archived.
    """
    check_rule(rule)
    current = Segment.objects.select_for_update(no_key=True).get(pk=segment.pk)
    if current.status == SegmentStatus.ARCHIVED:
        raise SegmentArchived(segment=segment.pk)
    if current.rule != rule:
        current.rule, current.rule_version = rule, current.rule_version + 1
        current.save(update_fields=["rule", "rule_version"])
    if at is not None:
        refresh_one(current, at)
    segment.refresh_from_db()
    return segment


@transaction.atomic
def archive(*, segment: Segment, at: datetime) -> int:
    """Stop keeping the segment: every member leaves, the history stays. Returns how many left.

    Archiving twice is harmless.
    """
    changed = Segment.objects.filter(pk=segment.pk, status=SegmentStatus.ACTIVE).update(
        status=SegmentStatus.ARCHIVED, member_count=0, evaluated_at=at
    )
    members = SegmentMembership.objects.filter(segment=segment, left_at__isnull=True)
    left = members.update(left_at=Greatest(F("entered_at"), at)) if changed else 0
    segment.refresh_from_db()
    if left:
        events.segments_changed.send(sender=Segment, at=at, entered={}, left={segment.pk: left})
    return left


def create_builtin(*, at: datetime | None = None) -> int:
    """Create the segments every shop starts with; those already there stay as staff made them.

    Returns how many were created.
    """
    for built_in in BUILT_IN:
        check_rule(built_in.rule)
    wanted = [Segment(key=b.key, name=b.name, rule=b.rule, description=b.description) for b in BUILT_IN]
    with transaction.atomic():
        before = Segment.objects.count()
        Segment.objects.bulk_create(wanted, ignore_conflicts=True)
        created = Segment.objects.count() - before
        if created and at is not None:
            refresh(at=at, today=Shop.current().business_date(at))
    return created
