"""What the night's workers share: ranges of customers, taken by whoever hears a bell, on whatever host."""

from collections.abc import Callable
from datetime import datetime

from crm.common import parts
from crm.common.models import JobPart

TASK = "ltv.take_part"


def take_part(*, clock: Callable[[], datetime]) -> int:
    """Work on one part of whatever stage is cut into parts; returns how many were taken: 1, or 0 if there is none."""
    from ltv.services import rebuild, valuing  # they ring for us; and scipy: not before there is work

    work = {"summaries": rebuild.summarise_part, "figures": valuing.value_part}
    some = JobPart.objects.filter(stage__name__in=work)
    return int(parts.take(some, work=lambda part: work[part.stage.name](part), clock=clock))
