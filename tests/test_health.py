from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import override_settings
from django.utils import timezone

from crm.common import redis
from crm.common.choices import JobState
from crm.common.models import JobRun, Shop
from crm.common.tasks import BEAT_TICK, beat_tick
from ltv.services.night import JOB


@pytest.fixture
def beat_rang():
    beat_tick()
    yield
    redis.client().delete(BEAT_TICK)


def night(business_date, state=JobState.DONE):
    at = timezone.now()
    ended = at if state in (JobState.DONE, JobState.FAILED) else None
    return JobRun.objects.create(
        job=JOB, business_date=business_date, state=state, requested_at=at, finished_at=ended
    )


def yesterday(shop):
    return shop.business_date(timezone.now()) - timedelta(days=1)


def checks(client):
    answer = client.get("/readyz")
    assert answer.json()["status"] == ("ok" if answer.status_code == 200 else "unavailable")
    return answer.status_code, answer.json()["checks"]


def test_a_running_process_is_up_without_asking_anybody(client):
    # no access to the database is allowed here, so asking would fail
    answer = client.get("/healthz")

    assert (answer.status_code, answer.content) == (200, b"ok\n")
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_new_shop_is_ready_before_its_first_night(client, shop, beat_rang):
    assert checks(client) == (200, {"database": "ok", "redis": "ok", "beat": "ok", "night": "ok"})


def test_a_shop_is_ready_after_last_night(client, shop, beat_rang):
    night(yesterday(shop))

    assert checks(client)[0] == 200


def test_a_missed_night_is_told_with_the_last_one_done(client, shop, beat_rang):
    last = yesterday(shop) - timedelta(days=1)
    night(last)
    night(yesterday(shop), JobState.FAILED)

    status, found = checks(client)

    assert (status, found["night"]) == (503, f"last done for {last}")


def test_nights_that_never_succeed_are_told(client, shop, beat_rang):
    night(yesterday(shop) - timedelta(days=3), JobState.FAILED)

    assert checks(client)[1]["night"] == "never done"


def test_a_first_night_that_failed_yesterday_is_told(client, shop, beat_rang):
    night(yesterday(shop), JobState.FAILED)

    assert checks(client)[1]["night"] == "never done"


def test_a_calendar_held_in_the_past_asks_for_the_night_it_is_held_at(client, shop, beat_rang):
    Shop.objects.update(frozen_on=date(1998, 7, 1))
    night(date(1998, 6, 29))
    assert checks(client)[1]["night"] == "last done for 1998-06-29"

    night(date(1998, 7, 1))
    assert checks(client)[0] == 200


def test_a_silent_beat_is_told(client, shop):
    redis.client().delete(BEAT_TICK)
    assert checks(client)[1]["beat"] == "never rang"

    redis.client().set(BEAT_TICK, (datetime.now(UTC) - timedelta(minutes=10)).isoformat())
    status, found = checks(client)
    redis.client().delete(BEAT_TICK)

    assert status == 503
    assert found["beat"].startswith("last rang 60")


def test_valkey_being_away_is_told_and_not_an_error(client, shop):
    redis.client.cache_clear()
    try:
        with override_settings(REDIS_URL="redis://:hunter2@127.0.0.1:1/0"):
            answer = client.get("/readyz")
    finally:
        redis.client.cache_clear()

    assert answer.status_code == 503
    assert answer.json()["checks"]["redis"] == "unreachable"
    assert b"hunter2" not in answer.content


@pytest.mark.parametrize("url", ["/healthz", "/readyz"])
def test_health_is_read_only(client, url, db):
    assert client.post(url).status_code == 405
