"""Giving way: a long job stands back from whoever waits for an answer, and comes forward again."""

import os
import subprocess
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from celery import current_app
from django.db import connection

from crm.celery import lead_a_session
from crm.common import jobs, parts, priority
from crm.common.models import JobPart, JobRun
from tests.workers import pool, running, wait_until

needs_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="who is not root may not come forward again, and so stays"
)
BEHIND = 15
AUTOGROUP = Path("/proc/self/autogroup")
needs_sessions = pytest.mark.skipif(
    not (AUTOGROUP.exists() and AUTOGROUP.read_text()),
    reason="this Linux does not share the processors out among sessions",
)


@pytest.fixture(autouse=True)
def _behind(settings) -> None:
    """Other tests run at everybody's priority."""
    settings.JOB_NICE = BEHIND


def nice(process: int = 0) -> int:
    return os.getpriority(os.PRIO_PROCESS, process)


def session_nice(process: int) -> int:
    return int(Path(f"/proc/{process}/autogroup").read_text().split()[-1])


def standing() -> tuple[int, str, str]:
    """How far this thread stands back, and how many processes PostgreSQL may start to help with a statement of it."""
    settings = ("max_parallel_workers_per_gather", "max_parallel_maintenance_workers")
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting(%s), current_setting(%s)", settings)
        return (nice(), *cursor.fetchone())


@pytest.fixture
def backend(db) -> int:
    connection.ensure_connection()
    return connection.connection.info.backend_pid


@pytest.fixture
def leader() -> Iterator[int]:
    """A process that leads a session of its own."""
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as process:
        yield process.pid
        process.kill()


@needs_root
def test_thread_and_server_process_stand_back_while_the_block_runs(backend):
    before = nice()

    with priority.giving_way():
        during = nice(), nice(backend)

    assert during == (max(before, BEHIND), max(before, BEHIND))
    assert nice() == before
    assert nice(backend) < BEHIND or before >= BEHIND


@needs_root
def test_they_come_forward_again_when_the_job_fails(backend):
    before = nice()

    with pytest.raises(ValueError, match="a job"), priority.giving_way():
        raise ValueError("a job")

    assert nice() == before


@needs_root
@pytest.mark.django_db
def test_every_job_and_every_part_of_one_stands_back(now):
    """Whatever works at it: not only the night."""
    seen = []

    def work(_what: object) -> parts.Outcome:
        seen.append(standing())
        return parts.Outcome(rows=0)

    jobs.request_run(job="tea", business_date=date(2026, 3, 2), now=now)
    before = standing()
    jobs.run_pending(job="tea", work=work, clock=lambda: now)
    run = JobRun.objects.create(job="tea", business_date=date(2026, 3, 3), state="running", attempts=1,
                                requested_at=now, started_at=now)  # fmt: skip
    with jobs.Progress(run, lambda: now).stage("pour") as pouring:
        parts.cut(pouring.row, [(1, 9)])
        parts.take(JobPart.objects.all(), work=work, clock=lambda: now)

    assert seen == [(max(before[0], BEHIND), "0", "0")] * 2
    assert standing() == before


@needs_root
def test_who_stands_back_already_stays_there_until_the_outer_block_ends(backend):
    before = standing()

    with priority.giving_way():
        with priority.giving_way():
            pass
        between = standing()

    assert between == (max(before[0], BEHIND), "0", "0")
    assert standing() == before


@needs_sessions
def test_the_servers_session_stands_back_and_comes_forward_again(backend):
    """Between sessions the "nice" of a thread counts for nothing."""
    before = session_nice(backend)

    with priority.giving_way():
        during = session_nice(backend)

    assert (before, during, session_nice(backend)) == (0, BEHIND, 0)


@needs_sessions
def test_the_session_that_a_process_leads_stands_back_unless_others_work_in_it(backend, leader, monkeypatch):
    monkeypatch.setattr(os, "getpid", lambda: leader)

    with priority.giving_way():
        alone = session_nice(leader)
    with priority.giving_way(whole_process=False):
        beside_others = session_nice(leader)

    assert (alone, beside_others, session_nice(leader)) == (BEHIND, 0, 0)


@needs_sessions
def test_a_session_that_another_process_leads_is_left_alone(backend, monkeypatch):
    with subprocess.Popen(["sleep", "60"]) as led:
        monkeypatch.setattr(os, "getpid", lambda: led.pid)
        before = session_nice(led.pid)
        with priority.giving_way():
            during = session_nice(led.pid)
        led.kill()

    assert during == before


@needs_sessions
def test_a_session_that_may_not_be_set_back_just_now_is_tried_again(leader, monkeypatch):
    """Who is not root waits for the tenth of a second that Linux wants between two writes of anybody."""
    refused = [BlockingIOError(), BlockingIOError()]
    write = Path.write_text

    def refusing(file: Path, text: str) -> int:
        if refused:
            raise refused.pop()
        return write(file, text)

    monkeypatch.setattr(Path, "write_text", refusing)
    priority._Session(leader).write(BEHIND)

    assert session_nice(leader) == BEHIND


@needs_root
def test_a_process_that_is_not_postgresql_is_left_alone(backend, monkeypatch):
    """On another host the number of the server's process may be anybody's here."""
    monkeypatch.setattr(type(connection.connection.info), "backend_pid", os.getppid())
    before = nice(os.getppid())

    with priority.giving_way():
        assert nice(os.getppid()) == before


@pytest.mark.django_db(transaction=True)
def test_each_process_of_a_workers_pool_leads_a_session_and_ends_with_the_worker():
    """So one of them can stand back without the others."""
    with running(2, "sessions@%h") as worker:
        wait_until(lambda: current_app.control.ping(timeout=0.5), "the worker answers")
        children = pool(worker.pid)
        led = [os.getsid(one) for one in children]
        worker.kill()
        worker.wait()
        wait_until(lambda: not any(Path(f"/proc/{one}").exists() for one in children), "the pool has ended")

    assert len(children) == 2
    assert led == children


def test_a_worker_whose_pool_has_no_processes_stays_in_the_session_it_was_started_in():
    """Ctrl-C in the terminal reaches it there."""
    before = os.getsid(0)

    lead_a_session()

    assert os.getsid(0) == before
