"""Segments: rules kept, members kept. One pass over customers serves every rule; the difference is history."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils.translation import gettext_lazy as _
from psycopg import sql as composed

from crm.common import sql
from crm.common.errors import DomainError, InvalidInput
from crm.common.models import Shop, User
from customers import events
from customers.choices import SegmentStatus
from customers.core import rules
from customers.core.builtin import BUILT_IN
from customers.core.traits import catalogue
from customers.models import Segment, SegmentMembership

logger = logging.getLogger(__name__)
Overrides = dict[str, str]


class BadSegmentRule(InvalidInput):
    """The rule cannot be understood; ``detail["path"]`` says where."""

    code = "bad_segment_rule"
    message = _("The rule is not valid.")


class DuplicateSegment(DomainError):
    """Another segment has this key or name."""

    code = "duplicate_segment"
    message = _("Another segment has this key or name.")


class SegmentArchived(DomainError):
    """An archived segment is not changed any more."""

    code = "segment_archived"
    message = _("This segment is archived.")


@dataclass(frozen=True)
class SegmentsChanged:
    """What a refresh did: customers per segment id, and the segments whose rule no longer holds together."""

    entered: dict[int, int] = field(default_factory=dict)
    left: dict[int, int] = field(default_factory=dict)
    failed: dict[int, str] = field(default_factory=dict)


def check_rule(rule: object) -> rules.Node:
    """The rule as nodes, against everything the apps know of a customer.

    Raises:
        BadSegmentRule: the rule cannot be understood.
    """
    try:
        return rules.parse(rule, catalogue())
    except rules.BadRule as error:
        raise BadSegmentRule(str(error), field="rule", path=error.path, reason=error.reason) from error


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
        _refresh_one(segment, at)
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
        _refresh_one(current, at)
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


@transaction.atomic
def refresh(*, at: datetime, today: date, overrides: Overrides | None = None) -> SegmentsChanged:
    """Evaluate every active segment as of ``today`` and keep who entered and who left.

    One pass over customers for all rules, inside the caller's transaction. ``overrides`` replaces the join of a
    source by alias for this evaluation. A segment whose rule asks for something no longer known keeps its
    members and is reported in ``failed``; the others are not held up by it.
    """
    active = Segment.objects.filter(status=SegmentStatus.ACTIVE)
    return _refresh(list(active.select_for_update(no_key=True).order_by("pk")), at, today, overrides)


def _refresh_one(segment: Segment, at: datetime) -> SegmentsChanged:
    locked = Segment.objects.select_for_update(no_key=True).filter(pk=segment.pk)
    changed = _refresh(list(locked), at, Shop.current().business_date(at), None)
    segment.refresh_from_db()
    return changed


def _refresh(
    segments: list[Segment], at: datetime, today: date, overrides: Overrides | None
) -> SegmentsChanged:
    compiled, failed = _compile(segments)
    if not compiled:
        return SegmentsChanged(failed=failed)
    _find_changes(compiled, today, overrides)
    sql.execute("customers/segments_leave", {"at": at})
    sql.execute("customers/segments_enter", {"at": at})
    counts = sql.rows("customers/segments_count", {"at": at, "segments": list(compiled)})
    sql.execute("customers/segments_forget")
    changed = SegmentsChanged(
        entered={row["id"]: row["entered"] for row in counts if row["entered"]},
        left={row["id"]: row["gone"] for row in counts if row["gone"]},
        failed=failed,
    )
    if changed.entered or changed.left:
        events.segments_changed.send(sender=Segment, at=at, entered=changed.entered, left=changed.left)
    return changed


def _compile(segments: Iterable[Segment]) -> tuple[dict[int, rules.Compiled], dict[int, str]]:
    """Each segment's rule as SQL, and why those that cannot be compiled cannot."""
    compiled: dict[int, rules.Compiled] = {}
    failed: dict[int, str] = {}
    for segment in segments:
        try:
            node = rules.parse(segment.rule, catalogue())
        except rules.BadRule as error:
            logger.error("segment %s keeps its members, its rule is broken: %s", segment.key, error)
            failed[segment.pk] = str(error)
        else:
            compiled[segment.pk] = rules.to_sql(node, catalogue(), prefix=f"s{segment.pk}_")
    return compiled, failed


def _find_changes(compiled: dict[int, rules.Compiled], today: date, overrides: Overrides | None) -> None:
    cases = ", ".join(f"CASE WHEN {rule.sql} THEN {int(pk)} END" for pk, rule in compiled.items())
    sources = sorted({alias for rule in compiled.values() for alias in rule.sources})
    params = {"segments": list(compiled), "today": today, "zone": Shop.current().time_zone}
    for rule in compiled.values():
        params |= rule.params
    sql.execute(
        "customers/segments_changes",
        params,
        {
            "joins": composed.SQL(catalogue().joins(sources, overrides)),  # type: ignore[arg-type]
            "matches": composed.SQL(f"ARRAY[{cases}]::bigint[]"),  # type: ignore[arg-type]
        },
    )
