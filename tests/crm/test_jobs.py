"""A job and its stages as rows: seen at once by everybody, kept in order by the database, fenced against the overtaken."""

from collections.abc import Callable
from datetime import date, timedelta
from threading import Thread
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from crm.common import jobs, sql
from crm.common.choices import JobState, StageState
from crm.common.models import JobPart, JobRun, JobStage

TODAY = date(2026, 3, 2)


def a_run(now, **facts: Any) -> JobRun:
    facts = {"state": JobState.RUNNING, "attempts": 1, "started_at": now, "requested_at": now} | facts
    return JobRun.objects.create(job="tea", business_date=TODAY, **facts)


def elsewhere(look: Callable[[], Any]) -> Any:
    """What another session sees."""
    seen: list[Any] = []

    def session() -> None:
        try:
            seen.append(look())
        finally:
            connection.close()

    thread = Thread(target=session)
    thread.start()
    thread.join()
    return seen[0]


def stages() -> list[tuple[Any, ...]]:
    return list(JobStage.objects.values_list("name", "state", "done", "total"))


@pytest.mark.django_db(transaction=True)
def test_others_see_a_stage_begin_and_advance_while_its_transaction_is_open(now):
    progress = jobs.Progress(a_run(now), lambda: now)
    progress.plan(["boil", "pour"])

    with progress.stage("boil", total=10) as boiling:
        boiling.advance(4)
        with transaction.atomic():
            JobRun.objects.update(error="not yet to be seen")
            seen = elsewhere(stages)
            words = elsewhere(lambda: JobRun.objects.get().error)

    assert (seen, words) == ([("boil", "running", 4, 10), ("pour", "waiting", 0, 0)], "")
    assert stages() == [("boil", "done", 4, 10), ("pour", "waiting", 0, 0)]


@pytest.mark.django_db
def test_a_stage_keeps_its_times_its_worker_and_its_counts(now):
    ticks = iter(now + timedelta(seconds=n) for n in range(10))
    progress = jobs.Progress(a_run(now), lambda: next(ticks))

    with progress.stage("boil") as boiling:
        boiling.rows, boiling.facts = 3, {"cups": 3}

    stage = JobStage.objects.get()
    assert (stage.finished_at - stage.started_at, stage.worker) == (timedelta(seconds=1), jobs.worker_name())
    assert (stage.done, stage.facts, stage.attempts) == (3, {"cups": 3}, 1)


@pytest.mark.django_db
def test_who_was_overtaken_may_begin_no_stage_and_end_no_run(now):
    run = a_run(now)
    progress = jobs.Progress(run, lambda: now)
    with progress.stage("boil") as boiling:
        JobRun.objects.update(attempts=2)  # another worker took it up

        with pytest.raises(jobs.Overtaken):
            boiling.advance(1)
    with pytest.raises(jobs.Overtaken), progress.stage("pour"):
        pass

    assert [name for name, *_rest in stages()] == ["boil"]


@pytest.mark.django_db(transaction=True)
def test_what_is_asked_for_while_the_last_run_ends_is_not_left_for_the_next_ring(now, monkeypatch):
    jobs.request_run(job="tea", business_date=TODAY, now=now)
    unlock = sql.advisory_unlock

    def asked_just_before(name: str) -> None:
        if JobRun.objects.count() == 1:  # their ring finds the lock taken and goes
            jobs.request_run(job="tea", business_date=TODAY, now=now)
        unlock(name)

    monkeypatch.setattr(sql, "advisory_unlock", asked_just_before)

    assert jobs.run_pending(job="tea", work=lambda _progress: None, clock=lambda: now) == 2


BAD_STAGES = {
    "job_stage_state_known": {"state": "boiling", "started_at": "now"},
    "job_stage_begun_has_time": {"state": StageState.RUNNING},
    "job_stage_end_has_time": {"state": StageState.DONE, "started_at": "now"},
    "job_stage_counts": {"done": -1},
    "job_stage_once": {"name": "boil"},
}
BAD_PARTS = {
    "job_part_state_known": {"state": "boiling"},
    "job_part_range": {"low": 5},
    "job_part_running_has_lease": {"state": StageState.RUNNING},
    "job_part_end_has_time": {"state": StageState.DONE},
    "job_part_once": {"number": 0},
}


@pytest.mark.django_db
@pytest.mark.parametrize("constraint", BAD_STAGES)
def test_a_stage_that_cannot_be_is_refused(now, constraint):
    run = a_run(now)
    JobStage.objects.create(run=run, place=0, name="boil")
    facts = {k: now if v == "now" else v for k, v in BAD_STAGES[constraint].items()}

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        JobStage.objects.create(**{"run": run, "place": 1, "name": "pour", **facts})


@pytest.mark.django_db
@pytest.mark.parametrize("constraint", BAD_PARTS)
def test_a_part_that_cannot_be_is_refused(now, constraint):
    stage = JobStage.objects.create(run=a_run(now), place=0, name="boil")
    JobPart.objects.create(stage=stage, number=0, low=0, high=5)

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        JobPart.objects.create(**{"stage": stage, "number": 1, "low": 0, "high": 5, **BAD_PARTS[constraint]})
