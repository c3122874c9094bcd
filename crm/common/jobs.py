"""JobRun: a job happens once per business date, under a lock that dies with its holder.

Its stages are rows (``JobStage``), so that staff can watch them and a run that was killed is taken up at the first
stage not done. Several workers share a stage by its parts: ``crm.common.parts``.
"""

import logging
import os
import socket
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date, datetime
from typing import Any

from django.db import Error, InterfaceError, OperationalError, connection, transaction
from django.db.models import Max, Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from crm.common import sql
from crm.common.choices import OPEN_JOBS, JobState, StageState
from crm.common.errors import DomainError
from crm.common.models import JobRun, JobStage, User
from crm.common.priority import giving_way

logger = logging.getLogger(__name__)
MAX_ATTEMPTS = 5
_LAST_CALLS = -3  # of a traceback: what staff are shown
_FRESH: dict[str, Any] = {
    "state": StageState.WAITING,
    "done": 0,
    "total": 0,
    "started_at": None,
    "finished_at": None,
    "worker": "",
    "error": "",
    "facts": {},
}


class StillOpen(DomainError):
    """The run is at work, or waits for a worker; one that was killed is taken up by the next ring."""

    code = "run_still_open"
    message = _("This run is still at work or waits for a worker.")


class NothingToRetry(DomainError):
    """The run ended well; another one can be asked for."""

    code = "nothing_to_retry"
    message = _("This run ended well. Ask for another one instead.")


class Superseded(DomainError):
    """A newer run ended well: going back would show older figures."""

    code = "run_superseded"
    message = _("A newer run has been published since.")


class NoSuchStage(DomainError):
    code = "no_such_stage"
    message = _("The run has no such stage.")


class Overtaken(RuntimeError):
    """Another worker has taken this run up."""


def worker_name() -> str:
    """Who works: the host and the process."""
    return f"{socket.gethostname()}:{os.getpid()}"[:120]


def last_lines() -> str:
    """Of the exception at hand, what staff are shown."""
    return traceback.format_exc(limit=_LAST_CALLS)


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
    run, _made = JobRun.objects.get_or_create(
        job=job, business_date=business_date, occurrence=0, defaults={"requested_at": now}
    )
    return run


def retry(*, run: JobRun, from_stage: str | None = None, by: User | None, now: datetime) -> JobRun:
    """Ask for a failed run once more, from ``from_stage`` or the first stage not done; the caller rings the bell.

    Raises:
        StillOpen: it is at work or waits for a worker.
        NothingToRetry: it ended well.
        Superseded: a newer run of the job ended well.
        NoSuchStage: the run never had a stage of that name.
    """
    with transaction.atomic():
        run = JobRun.objects.select_for_update().get(pk=run.pk)
        _refuse_retry(run)
        stages = list(run.stages.all())
        undone = [stage.place for stage in stages if stage.state != StageState.DONE]
        if from_stage is not None:
            undone = [stage.place for stage in stages if stage.name == from_stage]
            if not undone:
                raise NoSuchStage
        if undone:
            put_back(run, place=min(undone))
        run.state, run.attempts, run.error = JobState.REQUESTED, 0, ""
        run.requested_by, run.requested_at = by or run.requested_by, now
        run.started_at = run.finished_at = None
        run.save()
    return run


def _refuse_retry(run: JobRun) -> None:
    if run.is_open:
        raise StillOpen
    if run.state == JobState.DONE:
        raise NothingToRetry
    if later(run).filter(state=JobState.DONE).exists():
        raise Superseded


def later(run: JobRun) -> Any:
    """The runs of the same job for later dates, and those asked for later on the same date."""
    same_date = Q(business_date=run.business_date, occurrence__gt=run.occurrence)
    return JobRun.objects.filter(Q(business_date__gt=run.business_date) | same_date, job=run.job)


def put_back(run: JobRun, *, place: int) -> None:
    """Let the stage at ``place`` and every later one wait again; the parts they were cut into go."""
    stages = JobStage.objects.filter(run=run, place__gte=place)
    with transaction.atomic():
        for stage in stages.order_by("place").select_for_update():
            stage.parts.all().delete()
        stages.update(**_FRESH)


def run_pending(*, job: str, work: Callable[["Progress"], object], clock: Callable[[], datetime]) -> int:
    """Run every requested or abandoned row of ``job``, one at a time; returns how many were finished.

    The session lock makes the caller the only runner: a row found ``running`` under it was left by a process
    that died, and is taken up again. With another runner at work nothing is done and 0 is returned.
    """
    finished = 0
    # looks once more after unlocking: who asked just before that found the lock taken and left the row to us
    while _next(job) and sql.advisory_lock(job):
        try:
            if run := _next(job):  # read again under the lock
                with giving_way():
                    _run(run, work, clock)
                finished += 1
        finally:
            with suppress(Error):  # a connection that died has given the lock back
                sql.advisory_unlock(job)
    return finished


def _next(job: str) -> JobRun | None:
    still_open = JobRun.objects.filter(job=job, state__in=OPEN_JOBS)
    return still_open.order_by("business_date", "occurrence").first()


def _run(run: JobRun, work: Callable[["Progress"], object], clock: Callable[[], datetime]) -> None:
    run.state, run.started_at = JobState.RUNNING, clock()
    run.attempts += 1
    run.save(update_fields=["state", "started_at", "attempts"])
    state, error = JobState.DONE, ""
    try:
        if run.attempts > MAX_ATTEMPTS:
            raise RuntimeError(f"gave up after {MAX_ATTEMPTS} attempts that were killed")
        work(Progress(run, clock))
    except Overtaken:
        raise
    except Exception as problem:
        if cut_off(problem):
            connection.close()
            raise  # as if killed: the run stays open, and the next ring takes it up
        logger.exception("%s failed", run)
        state, error = JobState.FAILED, last_lines()
    _mine(run).update(state=state, error=error, finished_at=clock())


def _mine(run: JobRun) -> Any:
    """The row, as long as nobody else has taken the run up: the count of attempts is the fence."""
    return JobRun.objects.filter(pk=run.pk, state=JobState.RUNNING, attempts=run.attempts)


def cut_off(problem: Exception) -> bool:
    """PostgreSQL went away, and with it our lock; nothing is known to be wrong with the work."""
    return isinstance(problem, OperationalError | InterfaceError) and not connection.is_usable()


class Progress:
    """What staff watch while a job runs: a row per stage, written as it begins, goes on and ends.

    ``stage`` and ``advance`` commit by themselves, so that other sessions see them at once. That holds only outside a
    transaction: open the stage first and its transactions inside it, and call ``advance`` between those.
    """

    def __init__(self, run: JobRun, clock: Callable[[], datetime]) -> None:
        self.run, self.clock = run, clock
        self.rows = 0  # what the stage at work has done, and the counts it leaves behind
        self.facts: dict[str, Any] = {}
        self.row: JobStage | None = None

    def plan(self, names: Sequence[str]) -> None:
        """Write the stages of the run, so that staff see what is still to come; what is done stays done."""
        JobStage.objects.bulk_create(
            [JobStage(run=self.run, place=place, name=name) for place, name in enumerate(names)],
            update_conflicts=True,
            unique_fields=["run", "name"],
            update_fields=["place"],
        )

    def state(self, name: str) -> str:
        """Where the stage is; waiting if nobody planned it."""
        found = self.run.stages.filter(name=name).values_list("state", flat=True).first()
        return found or StageState.WAITING

    def is_done(self, name: str) -> bool:
        return self.state(name) == StageState.DONE

    def start_again(self, name: str) -> None:
        """Put ``name`` and every later stage back: what they made is not there any more."""
        put_back(self.run, place=self.run.stages.get(name=name).place)

    def settle(self, name: str) -> None:
        """Call ``name`` and every stage before it done: what they made is in force."""
        now, place = self.clock(), self.run.stages.get(name=name).place
        rows = self.run.stages.filter(place__lte=place).exclude(state=StageState.DONE)
        rows.update(state=StageState.DONE, started_at=Coalesce("started_at", now), finished_at=now, error="")

    @contextmanager
    def stage(self, name: str, total: int = 0) -> Iterator["Progress"]:
        """Do the block as the stage ``name``; an exception marks the stage failed and goes on to the run.

        Raises:
            Overtaken: another worker has taken the run up meanwhile.
        """
        self.row = self._begin(name, total)
        self.rows, self.facts = total, dict(self.row.facts)
        try:
            yield self
        except Exception as problem:
            if not cut_off(problem):
                self._end(StageState.FAILED, error=last_lines())
            raise
        self._end(StageState.DONE, done=self.rows, facts=self.facts)

    def _begin(self, name: str, total: int) -> JobStage:
        if not _mine(self.run).exists():
            raise Overtaken(str(self.run))
        last = self.run.stages.aggregate(last=Max("place"))["last"]
        place = 0 if last is None else last + 1
        row, _made = JobStage.objects.get_or_create(run=self.run, name=name, defaults={"place": place})
        row.state, row.attempts, row.worker = StageState.RUNNING, row.attempts + 1, worker_name()
        row.done, row.total, row.error = 0, total, ""
        row.started_at, row.finished_at = self.clock(), None
        row.save()
        return row

    def _end(self, state: StageState, **changes: Any) -> None:
        assert self.row is not None
        rows = JobStage.objects.filter(pk=self.row.pk, attempts=self.row.attempts)
        rows.update(state=state, finished_at=self.clock(), **changes)

    def note(self, **facts: Any) -> None:
        """Keep facts of the stage at work now, for whoever takes it up if this process dies."""
        assert self.row is not None
        self.facts |= facts
        JobStage.objects.filter(pk=self.row.pk).update(facts=self.facts)

    def advance(self, done: int) -> None:
        """Show ``done`` of the stage's total; between the stage's transactions, never inside one.

        Raises:
            Overtaken: another worker has taken the run up meanwhile.
        """
        assert self.row is not None
        if not _mine(self.run).exists():
            raise Overtaken(str(self.run))
        self.rows = done
        JobStage.objects.filter(pk=self.row.pk).update(done=done)
