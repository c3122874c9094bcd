"""Segments: rules kept, members kept, questions answered."""

from customers.services.segments.asking import Preview, Reason, preview, why
from customers.services.segments.checking import (
    BadSegmentRule,
    DuplicateSegment,
    PreviewTooSlow,
    SegmentArchived,
    UnknownCustomer,
    check_rule,
    explain,
)
from customers.services.segments.keeping import archive, change_rule, create_builtin, create_segment
from customers.services.segments.refreshing import Overrides, SegmentsChanged, refresh

__all__ = [
    "BadSegmentRule",
    "DuplicateSegment",
    "Overrides",
    "Preview",
    "PreviewTooSlow",
    "Reason",
    "SegmentArchived",
    "SegmentsChanged",
    "UnknownCustomer",
    "archive",
    "change_rule",
    "check_rule",
    "create_builtin",
    "create_segment",
    "explain",
    "preview",
    "refresh",
    "why",
]
