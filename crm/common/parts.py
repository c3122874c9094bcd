"""The parts of a stage: ranges of customers that any worker on any host takes, whatever becomes of the bells.

A part is claimed first (a committed row: worker, lease, count of attempts) and worked on in a second transaction that
holds its row lock. So nobody takes over a part that is still being worked on, however slow it is; one whose worker
died goes to the next taker when its lease has run out; and who comes late finds another count of attempts.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from crm.common import sql
from crm.common.choices import JobState, StageState
from crm.common.jobs import Progress, cut_off, last_lines, worker_name
from crm.common.models import JobPart, JobStage
from crm.common.priority import giving_way
from crm.common.wake import wake

logger = logging.getLogger(__name__)
LEASE = timedelta(seconds=30)  # from the claim until the row lock must be held
SECONDS = 600
MAX_ATTEMPTS = 5
BELLS = 200
PAUSE = 0.1  # seconds, while others finish the last parts


@dataclass(frozen=True)
class Outcome:
    """What working on a part came to."""

    rows: int
    facts: dict[str, Any] = field(default_factory=dict)  # numbers, which are added up


class Late(Exception):
    """Whatever the part belongs to has ended or begun anew; nothing was done."""


def cut(stage: JobStage, ranges: Iterable[tuple[int, int]]) -> int:
    """Make a part of each of these ranges of ids; returns how many."""
    made = [JobPart(stage=stage, number=n, low=low, high=high) for n, (low, high) in enumerate(ranges)]
    return len(JobPart.objects.bulk_create(made))


def ring(task: str, count: int) -> None:
    """Call other workers to ``count`` parts; the caller takes one itself. Heard when the transaction commits."""
    for _bell in range(min(count - 1, BELLS)):
        wake(task)


def finish(
    progress: Progress, *, work: Callable[[JobPart], Outcome], clock: Callable[[], datetime]
) -> Outcome:
    """Work on the parts of the stage at work until the last one is done, whoever does it; returns what they came to.

    Raises:
        RuntimeError: a part failed as often as it may.
    """
    assert progress.row is not None
    mine = JobPart.objects.filter(stage=progress.row)
    while mine.exclude(state=StageState.DONE).exists():
        if not take(mine, work=work, clock=clock):
            _refuse_failed(mine)
            time.sleep(PAUSE)  # others are at the last ones
        progress.advance(summed(progress.row).rows)
    return summed(progress.row)


def _refuse_failed(parts: QuerySet[JobPart]) -> None:
    if failed := parts.filter(state=StageState.FAILED).first():
        why = failed.error.strip().splitlines()[-1]
        raise RuntimeError(f"part {failed.number} failed {failed.attempts} times: {why}")


def take(
    parts: QuerySet[JobPart], *, work: Callable[[JobPart], Outcome], clock: Callable[[], datetime]
) -> bool:
    """Claim one of ``parts`` that waits, or whose worker died, and do it; False when there is none to take.

    ``work`` runs inside the part's transaction and raises ``Late`` when it is too late for it. Any other exception
    lets the part wait for the next taker; after MAX_ATTEMPTS it stays failed.
    """
    part = _claim(parts, clock())
    if part is None:
        return False
    try:
        with giving_way():
            _work_on(part, work, clock)
    except Late:
        _give_back(part, StageState.WAITING, "")
        return False
    except Exception as problem:
        if cut_off(problem):
            raise  # PostgreSQL went away: the lease runs out by itself
        logger.exception("part %s of stage %s failed", part.number, part.stage_id)
        last = part.attempts >= MAX_ATTEMPTS
        state = StageState.FAILED if last else StageState.WAITING
        _give_back(part, state, last_lines(), clock() if last else None)
    return True


def _claim(parts: QuerySet[JobPart], now: datetime) -> JobPart | None:
    free = Q(state=StageState.WAITING) | Q(state=StageState.RUNNING, lease_until__lte=now)
    at_work = parts.filter(free, stage__state=StageState.RUNNING, stage__run__state=JobState.RUNNING)
    with transaction.atomic():
        part = at_work.select_for_update(skip_locked=True, of=("self",)).order_by("pk").first()
        if part is not None:
            part.state, part.attempts = StageState.RUNNING, part.attempts + 1
            part.worker, part.started_at, part.lease_until = worker_name(), now, now + LEASE
            part.save()
    return part


def _mine(part: JobPart) -> QuerySet[JobPart]:
    """The row, as long as nobody else has taken the part over: the count of attempts is the fence."""
    return JobPart.objects.filter(pk=part.pk, state=StageState.RUNNING, attempts=part.attempts)


def _work_on(part: JobPart, work: Callable[[JobPart], Outcome], clock: Callable[[], datetime]) -> None:
    with sql.patient(SECONDS):
        if _mine(part).select_for_update().first() is None:  # who claims another looks at it, for a moment
            raise Late
        outcome = work(part)
        _mine(part).update(
            state=StageState.DONE,
            rows=outcome.rows,
            facts=outcome.facts,
            error="",
            lease_until=None,
            finished_at=clock(),
        )


def _give_back(part: JobPart, state: StageState, error: str, ended: datetime | None = None) -> None:
    _mine(part).update(state=state, error=error, lease_until=None, finished_at=ended)


def summed(stage: JobStage) -> Outcome:
    """What the parts done so far came to."""
    rows, facts = 0, Counter[str]()
    for part in stage.parts.filter(state=StageState.DONE).values_list("rows", "facts"):
        rows += part[0]
        facts.update(part[1])
    return Outcome(rows, dict(facts))
