"""JobRun: a job happens once per business date, under a lock that dies with its holder."""

import logging
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime

from django.db import transaction
from django.db.models import Max

from crm.common import sql
from crm.common.choices import JobState
from crm.common.models import JobRun, User

logger = logging.getLogger(__name__)
MAX_ATTEMPTS = 5


def request_run(*, job: str, business_date: date, now: datetime, by: User | None = None) -> JobRun:
    """Write the row that asks for another run of ``job`` today; the caller rings the bell.

    A run already waiting for a worker is returned instead of asking twice. Before the night itself has run, this is it.
    """
    with transaction.atomic():
        rows = JobRun.objects.select_for_update().filter(job=job, business_date=business_date)
        waiting = rows.filter(state=JobState.REQUESTED).first()
        if waiting:
            return waiting
        last = rows.aggregate(last=Max("occurrence"))["last"]
        return JobRun.objects.create(
            job=job,
            business_date=business_date,
            occurrence=0 if last is None else last + 1,
            requested_by=by,
            requested_at=now,
        )


def ensure_nightly(*, job: str, business_date: date, now: datetime) -> JobRun:
    """The row of the night itself, made once per business date however often the bell rings."""
    run, _ = JobRun.objects.get_or_create(
        job=job, business_date=business_date, occurrence=0, defaults={"requested_at": now}
    )
    return run


def run_pending(*, job: str, work: Callable[["Progress"], object], clock: Callable[[], datetime]) -> int:
    """Run every requested or abandoned row of ``job``, one at a time; returns how many were finished.

    The session lock makes the caller the only runner: a row found ``running`` under it was left by a process
    that died, and is taken up again. With another runner at work nothing is done and 0 is returned.
    """
    if not sql.advisory_lock(job):
        return 0
    finished = 0
    try:
        while run := _next(job):
            _run(run, work, clock)
            finished += 1
    finally:
        sql.advisory_unlock(job)
    return finished


def _next(job: str) -> JobRun | None:
    open_states = [JobState.REQUESTED, JobState.RUNNING]
    return (
        JobRun.objects.filter(job=job, state__in=open_states).order_by("business_date", "occurrence").first()
    )


def _run(run: JobRun, work: Callable[["Progress"], object], clock: Callable[[], datetime]) -> None:
    run.state, run.started_at, run.stages = JobState.RUNNING, clock(), []
    run.attempts += 1
    run.save(update_fields=["state", "started_at", "attempts", "stages"])
    try:
        if run.attempts > MAX_ATTEMPTS:
            raise RuntimeError(f"gave up after {MAX_ATTEMPTS} attempts that were killed")
        work(Progress(run))
        run.state, run.error = JobState.DONE, ""
    except Exception:
        logger.exception("%s failed", run)
        run.state, run.error = JobState.FAILED, traceback.format_exc(limit=-3)
    run.finished_at, run.stage = clock(), ""
    run.save(update_fields=["state", "error", "finished_at", "stage"])


class Progress:
    """What staff watch while a job runs: the stage, how far it is, and the seconds each stage took."""

    def __init__(self, run: JobRun) -> None:
        self.run = run

    @contextmanager
    def stage(self, name: str, total: int = 0) -> Iterator["Progress"]:
        JobRun.objects.filter(pk=self.run.pk).update(stage=name, done=0, total=total)
        started = time.monotonic()
        self.rows = total
        yield self
        self.run.stages.append(
            {"stage": name, "seconds": round(time.monotonic() - started, 3), "rows": self.rows}
        )
        JobRun.objects.filter(pk=self.run.pk).update(stages=self.run.stages, done=self.rows)

    def advance(self, done: int) -> None:
        """Show ``done`` of the stage's total. Call it outside the stage's own long transaction."""
        self.rows = done
        JobRun.objects.filter(pk=self.run.pk).update(done=done)
