"""PostgreSQL and Valkey go down at five places of the night each, and the next ring puts it right."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from crm.common.models import JobRun
from tests.faults.harness import Bell, Nursery, wait_until
from tests.faults.nights import (
    PATIENCE,
    NightShop,
    Reader,
    assert_figures_as_undisturbed,
    assert_night_whole,
    places,
    ring_until_ended,
    tell,
)
from tests.faults.servers import OwnPostgres, OwnValkey

pytestmark = pytest.mark.django_db(transaction=True)
POINTS = 5


@pytest.fixture
def own_postgres(transactional_db: None, tmp_path: Path) -> Iterator[OwnPostgres]:
    server = OwnPostgres(tmp_path / "own")
    with server.in_use():
        yield server
    server.remove()


@pytest.fixture
def own_valkey(tmp_path: Path) -> Iterator[OwnValkey]:
    server = OwnValkey(tmp_path / "own-valkey")
    yield server
    server.stop()


def test_a_night_survives_postgresqls_immediate_stop_anywhere(own_postgres, bell, tmp_path, capsys):
    shop, nursery = NightShop(), Nursery(tmp_path, DATABASE_URL=own_postgres.url)
    worker = nursery.worker()
    for statements, place in places(shop, nursery, bell, POINTS):
        began, reader = time.monotonic(), Reader(may_fail=True)
        shop.next_day()
        reader.start()
        nursery.arm(place, signal.SIGQUIT, own_postgres.pid)
        bell.ring(shop.job)
        wait_until(nursery.sprung, PATIENCE, f"statement {place} of the night")
        wait_until(lambda: not _runs(own_postgres), PATIENCE, "PostgreSQL's end")
        connection.close()
        own_postgres.start()
        if not worker.lives():  # as the supervisor would
            worker = nursery.worker()
        ring_until_ended(shop, nursery, bell)
        reader.finish()

        assert_figures_as_undisturbed(assert_night_whole(shop))
        tell(
            capsys,
            f"stop PostgreSQL at statement {place} of {statements}",
            began,
            f"{len(reader.answers)} readings",
        )
    nursery.close()


def _runs(server: OwnPostgres) -> bool:
    try:
        return bool(server.pid)
    except AssertionError:
        return False


def test_a_night_does_not_need_valkey_and_the_next_bell_is_heard(own_valkey, night_shop, tmp_path, capsys):
    shop, bell = night_shop, Bell(own_valkey.broker)
    nursery = Nursery(tmp_path, REDIS_URL=own_valkey.url)
    worker = nursery.worker()
    for statements, place in places(shop, nursery, bell, POINTS):
        began, reader = time.monotonic(), Reader()
        shop.next_day()
        reader.start()
        nursery.arm(place, signal.SIGKILL, own_valkey.pid)
        ring_until_ended(shop, nursery, bell)  # without its bell, from here on
        assert_night_whole(shop)
        own_valkey.start()
        if not worker.lives():
            worker = nursery.worker()
        shop.next_day()
        ring_until_ended(shop, nursery, bell)
        reader.finish()

        assert_figures_as_undisturbed(assert_night_whole(shop))
        assert set(JobRun.objects.filter(occurrence=0).values_list("attempts", flat=True)) == {1}
        tell(
            capsys,
            f"kill Valkey at statement {place} of {statements}",
            began,
            f"{len(reader.answers)} readings",
        )
    bell.close()
    nursery.close()
