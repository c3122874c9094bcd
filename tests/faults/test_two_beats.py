"""Two real beats that come back at once, both having missed the night's ring: the night happens once."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from celery.beat import PersistentScheduler
from django.utils import timezone

from crm.celery import app
from crm.common.models import JobRun
from crm.common.redis import client
from ltv.models import CustomerLtv, LtvRun
from ltv.services import night
from tests import workers
from tests.faults.harness import Nursery, wait_until
from tests.faults.nights import (
    CUSTOMERS,
    PATIENCE,
    NightShop,
    Reader,
    assert_figures_as_undisturbed,
    assert_night_whole,
    ended,
    tell,
)

pytestmark = pytest.mark.django_db(transaction=True)
OUTAGE = timedelta(hours=1)  # two rings of the night


@pytest.fixture
def two_workers(transactional_db: None, tmp_path: Path) -> Iterator[Nursery]:
    """On the queue that beat rings in, with nothing in it."""
    client().delete(workers.QUEUE, "unacked", "unacked_index")
    nursery = Nursery(tmp_path, workers.QUEUE)
    nursery.worker(), nursery.worker()
    yield nursery
    nursery.close()


def _missed_the_night(schedule: Path) -> Path:
    """What a beat has written down that was stopped an hour ago, soon after it had rung."""
    beat = PersistentScheduler(app=app, schedule_filename=str(schedule))
    beat.schedule[NightShop.job].last_run_at = datetime.now(UTC) - OUTAGE
    beat.close()
    return schedule


@contextmanager
def _beats(*schedules: Path) -> Iterator[set[str]]:
    """``celery -A crm beat`` once for each file, all at the same time; gives the names they ring under."""
    command = [sys.executable, "-m", "celery", "-q", "-A", "crm", "beat", "--pidfile=", "-l", "WARNING", "-s"]
    beats = [
        subprocess.Popen([*command, str(file)], env=workers.environment(), start_new_session=True)
        for file in map(_missed_the_night, schedules)
    ]
    try:
        yield {f"gen{beat.pid}@{socket.gethostname()}" for beat in beats}
        assert [beat.poll() for beat in beats] == [None, None], "a beat ended by itself"
    finally:
        for beat in beats:
            workers.stop(beat)


def test_two_beats_ring_and_the_night_happens_once(night_shop, two_workers, tmp_path, capsys):
    shop, began = night_shop, time.monotonic()
    shop.next_day()
    night.run_due(clock=timezone.now)
    shop.next_day()

    with Reader() as reader, _beats(tmp_path / "one", tmp_path / "other") as names:
        wait_until(lambda: names <= set(two_workers.heard(shop.job)), PATIENCE, "both beats' rings")
        wait_until(ended(shop), PATIENCE, "the end of the night")
        two_workers.hear_nothing(seconds=0.5)

    run = assert_night_whole(shop)
    assert len(names) == 2
    assert JobRun.objects.get(job=shop.job, business_date=shop.day).attempts == 1
    assert LtvRun.objects.get(as_of=shop.day) == run  # nor is there one that was given up
    assert run.customers == CUSTOMERS == CustomerLtv.objects.filter(run=run).count()
    assert_figures_as_undisturbed(run)
    tell(capsys, "two beats come back at once", began, f"{len(reader.answers)} readings")
