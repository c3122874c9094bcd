"""The parts of a full pass in the hands of several workers: real processes with names of their own."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from celery import current_app
from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from crm.common import parts
from crm.common.choices import StageState
from crm.common.models import JobPart, JobStage
from ltv.models import LtvRun
from ltv.services import night, rebuild, sharing, valuing
from tests.ltv.full_pass import a_night, buyers, planned, revenue
from tests.workers import running, stop, wait_until

pytestmark = pytest.mark.django_db(transaction=True)
Process = subprocess.Popen


@pytest.fixture(scope="module")
def two_workers(django_db_setup: None) -> Iterator[tuple[Any, Any]]:
    """Two workers of one process each, on the same database and the same bells."""
    with running(1, "one@%h") as one, running(1, "two@%h") as two:
        wait_until(lambda: len(current_app.control.ping(timeout=0.5)) == 2, "both workers answer")
        yield one, two


@pytest.fixture(autouse=True)
def _one_customer_a_part(shop, monkeypatch):
    monkeypatch.setattr(rebuild, "PART", 1)


@contextmanager
def held_back(stage: JobStage) -> Iterator[None]:
    """Workers can claim parts and not begin them: the valuation they would hold is held by us."""
    with transaction.atomic():
        LtvRun.objects.select_for_update().get(job=stage.run_id)
        yield


def claimed() -> dict[int, JobPart]:
    """The parts that are claimed, by the worker's main process."""
    at_work = JobPart.objects.filter(state=StageState.RUNNING)
    return {parent(part.worker.rpartition(":")[2]): part for part in at_work}


def parent(process: str) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


def finish(now, clock=timezone.now) -> JobStage:
    """The night works on the parts itself until none is left."""
    run, progress = a_night(now)
    with progress.stage("summaries"):
        progress.rows = rebuild.rebuild(run=run, progress=progress, why="first", since=None, clock=clock)
    return JobStage.objects.get()


def test_two_workers_and_the_night_share_the_parts_of_one_pass_and_none_is_done_twice(two_workers, now):
    one, two = two_workers
    made = buyers(12)
    stage = planned(now)  # and rung for all but one, which is left to the night

    with held_back(stage):
        wait_until(lambda: claimed().keys() == {one.pid, two.pid}, "each worker has claimed a part")
    done = stage.parts.filter(state=StageState.DONE)
    wait_until(lambda: done.count() == 11, "the parts rung for are done", 20)
    stage = finish(now)

    assert set(stage.parts.values_list("attempts", "rows")) == {(1, 1)}
    assert len(set(stage.parts.values_list("worker", flat=True)) - {stage.worker}) == 2
    assert revenue() == {customer.pk: 100 for customer in made}
    assert stage.facts["corrected"] == 12


def test_the_night_does_what_a_killed_worker_had_claimed(two_workers, now):
    one, two = two_workers
    made = buyers(6)
    stage = planned(now)
    with held_back(stage):
        wait_until(lambda: claimed().keys() == {one.pid, two.pid}, "each worker has claimed a part")
        lost = claimed()[two.pid]
        os.killpg(two.pid, signal.SIGKILL)
        two.wait()
    stop(one)  # by the clock of the night its claims would have run out, too, where it has not begun yet

    stage = finish(now, clock=lambda: timezone.now() + parts.LEASE)

    lost.refresh_from_db()
    assert (lost.state, lost.worker, lost.attempts) == (StageState.DONE, stage.worker, 2)
    assert set(stage.parts.values_list("state", "rows")) == {(StageState.DONE, 1)}
    assert sorted(stage.parts.values_list("attempts", flat=True)) == [1, 1, 1, 1, 1, 2]
    assert revenue() == {customer.pk: 100 for customer in made}


def in_another_session(work: Any) -> Thread:
    def session() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = Thread(target=session)
    thread.start()
    return thread


def test_a_part_still_worked_on_is_not_taken_over_however_late_it_is(now):
    buyers(1)
    stage = planned(now)
    begun, may_end = Event(), Event()

    def slow(part: JobPart) -> parts.Outcome:
        begun.set()
        assert may_end.wait(20)
        return parts.Outcome(rows=7)

    worker = in_another_session(lambda: parts.take(JobPart.objects.all(), work=slow, clock=lambda: now))
    assert begun.wait(20)
    taken = sharing.take_part(clock=lambda: now + 10 * parts.LEASE)
    may_end.set()
    worker.join()

    assert taken == 0
    assert stage.parts.values_list("state", "attempts", "rows").get() == (StageState.DONE, 1, 7)


def test_a_claimed_part_is_done_though_another_that_seeks_one_holds_its_row_for_a_moment(now, monkeypatch):
    buyers(1)
    stage = planned(now)
    seekers: list[Thread] = []
    held, name, mine = Event(), parts.worker_name, parts._mine

    def seek_another() -> None:
        with transaction.atomic():
            JobPart.objects.select_for_update().get()  # waits until the claim is committed
            held.set()
            time.sleep(0.3)

    def named() -> str:  # asked for between the choice of a part and the commit of the claim
        seekers.append(in_another_session(seek_another))
        return name()

    def work(_part: JobPart) -> parts.Outcome:
        return parts.Outcome(rows=7)

    def after_the_seeker(part: JobPart) -> QuerySet[JobPart]:
        assert held.wait(20)
        return mine(part)

    monkeypatch.setattr(parts, "worker_name", named)
    monkeypatch.setattr(parts, "_mine", after_the_seeker)
    taken = parts.take(JobPart.objects.all(), work=work, clock=lambda: now)
    seekers[0].join()

    assert taken
    assert stage.parts.values_list("state", "attempts", "rows").get() == (StageState.DONE, 1, 7)


def test_two_beats_at_once_make_one_run(now):
    buyers(3)
    ended: list[int] = []

    beats = [in_another_session(lambda: ended.append(night.run_due(clock=lambda: now))) for _ in range(2)]
    for beat in beats:
        beat.join()

    assert sorted(ended) == [0, 1]
    assert LtvRun.objects.values_list("state", "job__state", "job__attempts").get() == (
        "published",
        "done",
        1,
    )


def test_a_night_whose_connection_is_cut_goes_on_with_the_next_ring(now, monkeypatch):
    buyers(3)
    fit = valuing.fit

    def cut(*args: Any) -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return fit(*args)

    with monkeypatch.context() as patched:
        patched.setattr(valuing, "fit", cut)
        with pytest.raises(OperationalError):
            night.run_due(clock=lambda: now)
    open_run = LtvRun.objects.get().job
    rung = night.run_due(clock=lambda: now)

    assert (open_run.state, open_run.error) == ("running", "")
    assert (rung, LtvRun.objects.get().state) == (1, "published")
    assert list(open_run.stages.values_list("attempts", flat=True)) == [1, 2, 1, 1, 1, 1]
