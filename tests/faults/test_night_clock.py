"""Clocks go forward and back, midnights are missing or come twice: every business day has its one night."""

import os
import time
from collections.abc import Iterator
from copy import copy
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from celery.schedules import crontab

from crm.celery import app
from crm.common.choices import JobState
from crm.common.models import JobRun
from ltv.models import LtvRun
from ltv.services import night
from tests.factories import PurchaseFactory

BEFORE, AFTER = timedelta(hours=25), timedelta(hours=27)
HALF_HOUR = timedelta(minutes=30)
CHANGES = [
    ("America/New_York", date(2026, 3, 8)),  # 02:00 becomes 03:00
    ("America/New_York", date(2026, 11, 1)),  # 02:00 becomes 01:00
    ("Africa/Cairo", date(2026, 4, 24)),  # there is no midnight
    ("America/Havana", date(2026, 11, 1)),  # midnight comes twice
    ("Asia/Seoul", date(2026, 3, 8)),  # never changes
    ("Pacific/Kiritimati", date(2026, 3, 8)),  # the first to have a new day: 14 hours ahead
]


def _rings(since: datetime, until: datetime) -> Iterator[datetime]:
    """When beat rings for the night, as its own schedule says, asked as beat asks it."""
    now = last = since
    schedule = copy(app.conf.beat_schedule[night.JOB]["schedule"])
    assert isinstance(schedule, crontab)
    schedule.app, schedule.nowfun = app, lambda: now
    while now < until:
        due, wait = schedule.is_due(last)
        if due:
            last = now
            yield now
        now += timedelta(seconds=min(max(wait, 1), 300))


@pytest.mark.parametrize(("zone", "changes"), CHANGES)
def test_every_business_day_has_one_night_soon_after_it_began(zone, changes, shop, monkeypatch):
    shop.time_zone = zone
    shop.save()
    PurchaseFactory(purchased_at=datetime(2026, 1, 5, 12, tzinfo=UTC))
    there = ZoneInfo(zone)
    change = datetime(changes.year, changes.month, changes.day, tzinfo=there).astimezone(UTC)
    first_rings: dict[date, datetime] = {}

    for at in _rings(change - BEFORE, change + AFTER):
        first_rings.setdefault(at.astimezone(there).date(), at)
        for _beat in range(2):
            night.run_due(clock=lambda at=at: at)

    nights = JobRun.objects.filter(job=night.JOB).order_by("business_date")
    assert {run.business_date: run.requested_at for run in nights} == first_rings
    assert {(run.state, run.occurrence, run.attempts) for run in nights} == {(JobState.DONE, 0, 1)}
    assert [run.as_of for run in LtvRun.objects.order_by("pk")] == sorted(first_rings)
    days = sorted(first_rings)
    assert days == [days[0] + timedelta(days=n) for n in range(len(days))], "a day is missing"
    for day in days[1:]:
        assert first_rings[day] - HALF_HOUR < _began(day, there), "later than the first ring of its day"


def _began(day: date, there: ZoneInfo) -> datetime:
    """The first minute of a calendar day, which is not always midnight."""
    at = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=16)
    while at.astimezone(there).date() != day:
        at += timedelta(minutes=30)
    return at


@pytest.fixture
def machine_in_new_york(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("day", [date(2026, 3, 8), date(2026, 11, 1)])
def test_beat_rings_every_half_hour_whatever_the_machines_own_clock_does(day, machine_in_new_york):
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)

    rings = list(_rings(start, start + timedelta(hours=24)))

    assert os.environ["TZ"] == "America/New_York"
    assert [(at.hour, at.minute) for at in rings] == [(h, m) for h in range(24) for m in (10, 40)]
