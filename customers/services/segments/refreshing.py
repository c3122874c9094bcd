"""One pass over customers evaluates every rule; the difference to the open stays is history."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import numpy as np
from django.db import OperationalError, transaction
from numpy.typing import NDArray
from psycopg import errors
from psycopg import sql as composed

from crm.common import sql
from crm.common.arrays import places
from crm.common.beside import side_by_side
from crm.common.columns import Column, copy_columns
from crm.common.models import Shop
from crm.common.ranges import ranges
from customers import events
from customers.choices import SegmentStatus
from customers.core import rules
from customers.core.traits import catalogue
from customers.models import Customer, Segment

logger = logging.getLogger(__name__)
Overrides = dict[str, str]
A_MASK = 60  # rules a pass evaluates: one bit of a bigint each
RANGE = 250_000  # customers of one statement
HOLDING = np.dtype([("customer_id", "i8"), ("holds", "i8"), ("segment_id", "i8"), ("member_id", "i8")])
CHANGE = ("segment_id", "customer_id", "enters")


@dataclass(frozen=True)
class SegmentsChanged:
    """What a refresh did: customers per segment id, and the segments whose rule no longer holds together."""

    entered: dict[int, int] = field(default_factory=dict)
    left: dict[int, int] = field(default_factory=dict)
    failed: dict[int, str] = field(default_factory=dict)


@transaction.atomic
def refresh(*, at: datetime, today: date, overrides: Overrides | None = None) -> SegmentsChanged:
    """Evaluate every active segment as of ``today`` and keep who entered and who left.

    One pass over customers for all rules, inside the caller's transaction. ``overrides`` replaces the join of a
    source by alias for this evaluation. A segment whose rule asks for something no longer known keeps its
    members and is reported in ``failed``; the others are not held up by it.
    """
    active = Segment.objects.filter(status=SegmentStatus.ACTIVE)
    return _refresh(list(active.select_for_update(no_key=True).order_by("pk")), at, today, overrides)


def refresh_one(segment: Segment, at: datetime) -> SegmentsChanged | None:
    """Evaluate one segment as of the business day of ``at``, in the caller's transaction.

    None when that would take longer than a request may: its members then come with the night.
    """
    try:
        with transaction.atomic():
            locked = Segment.objects.select_for_update(no_key=True).filter(pk=segment.pk)
            changed = _refresh(list(locked), at, Shop.current().business_date(at), None)
    except OperationalError as error:
        if not isinstance(error.__cause__, errors.QueryCanceled):
            raise
        logger.warning("segment %s is left to the night: too many customers for a request", segment.key)
        return None
    segment.refresh_from_db()
    return changed


def _refresh(
    segments: list[Segment], at: datetime, today: date, overrides: Overrides | None
) -> SegmentsChanged:
    compiled, failed = _compile(segments)
    changed = SegmentsChanged(failed=failed)
    for start in range(0, len(compiled), A_MASK):
        part = dict(list(compiled.items())[start : start + A_MASK])
        for row in _apply(part, at, today, overrides):
            changed.entered.update({row["id"]: row["entered"]} if row["entered"] else {})
            changed.left.update({row["id"]: row["gone"]} if row["gone"] else {})
    if changed.entered or changed.left:
        events.segments_changed.send(sender=Segment, at=at, entered=changed.entered, left=changed.left)
    return changed


def _apply(
    compiled: dict[int, rules.Compiled], at: datetime, today: date, overrides: Overrides | None
) -> list[dict[str, int]]:
    """Bring the stays of these segments up to date; how many entered and are gone, by segment."""
    members = _find_changes(compiled, today, overrides)
    sql.execute("customers/segments_leave", {"at": at})
    sql.execute("customers/segments_enter", {"at": at})
    counts = sql.rows("customers/segments_count", {"at": at, "segments": list(compiled), "members": members})
    sql.execute("customers/segments_forget")
    return counts


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


def _find_changes(compiled: dict[int, rules.Compiled], today: date, overrides: Overrides | None) -> list[int]:
    """Note in a table of this transaction who enters and who leaves which segment; returns how many hold each.

    Above RANGE customers other connections look. They see rules, customers and stays as these are committed: none of
    that does a refresh write before, and the run that it values them by is among ``overrides``.
    """
    params, parts = _question(compiled, today, overrides)

    def look(among: tuple[int, int]) -> tuple[dict[str, Column], list[int]]:
        asked = {**params, "low": among[0], "high": among[1]}
        found = sql.copy_packed("customers/segments_holding", HOLDING, asked, parts)
        members = [int(np.count_nonzero(found["holds"] >> bit & 1)) for bit in range(len(compiled))]
        return _differing(found, list(compiled)), members

    changes, members = zip(*side_by_side(look, ranges(Customer, RANGE)), strict=True)
    sql.execute("customers/segments_note")
    copy_columns("segment_change", CHANGE, changes)
    return [sum(counts) for counts in zip(*members, strict=True)]


def _differing(found: dict[str, NDArray[Any]], segments: list[int]) -> dict[str, Column]:
    """Who enters and who leaves which of ``segments`` (rising): what the rules say in ``found``, against the stays.

    Whoever is not a customer any more holds nothing.
    """
    order = np.argsort(found["customer_id"], kind="stable")
    customer, holds = found["customer_id"][order], found["holds"][order]
    segment, holder = found["segment_id"], found["member_id"]
    place, known = places(customer, holder)
    bit, held = np.searchsorted(segments, segment[known]), np.zeros_like(holds)
    np.bitwise_or.at(held, place[known], np.left_shift(1, bit))

    gone, differ = ~known, holds ^ held
    changes = [(segment[gone], holder[gone], np.zeros(np.count_nonzero(gone), dtype=bool))]
    for number, one in enumerate(segments):
        who = np.flatnonzero(differ >> number & 1)
        changes.append((np.full(len(who), one), customer[who], holds[who] >> number & 1 == 1))
    columns = (np.concatenate(column) for column in zip(*changes, strict=True))
    return {name: Column(column) for name, column in zip(CHANGE, columns, strict=True)}


def _question(
    compiled: dict[int, rules.Compiled], today: date, overrides: Overrides | None
) -> tuple[dict[str, Any], sql.Parts]:
    bits = (f"CASE WHEN {rule.sql} THEN {1 << bit} ELSE 0 END" for bit, rule in enumerate(compiled.values()))
    sources = sorted({alias for rule in compiled.values() for alias in rule.sources})
    params = {"segments": list(compiled), "today": today, "zone": Shop.current().time_zone}
    for rule in compiled.values():
        params |= rule.params
    joins = catalogue().joins(sources, overrides, ranged=True)
    return params, {
        "joins": composed.SQL(joins),  # type: ignore[arg-type]
        "mask": composed.SQL(f"({' + '.join(bits)})::bigint"),  # type: ignore[arg-type]
    }
