"""PostgreSQL and Valkey go down at five places of the night each, and the next ring puts it right."""

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connection

from tests.faults.harness import Bell, Nursery, wait_until
from tests.faults.nights import (
    PATIENCE,
    NightShop,
    Reader,
    assert_figures_as_undisturbed,
    assert_night_whole,
    places,
    ring_until,
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
    server.remove()


class Supervised:
    """A worker in whose place another comes when it dies, as the supervisor does it."""

    def __init__(self, nursery: Nursery) -> None:
        self._nursery, self._worker, self.restarts = nursery, nursery.worker(), 0

    def restart(self) -> bool:
        if self._worker.lives():
            return False
        self._worker, self.restarts = self._nursery.worker(), self.restarts + 1
        return True


@pytest.fixture
def start_nursery(tmp_path: Path) -> Iterator[Callable[..., Nursery]]:
    made: list[Nursery] = []

    def start(**environment: str) -> Nursery:
        made.append(Nursery(tmp_path, **environment))
        return made[-1]

    yield start
    for nursery in made:
        nursery.close()


def test_a_night_survives_postgresqls_immediate_stop_anywhere(
    own_postgres, small_ranges, start_nursery, bell, capsys
):
    shop, nursery = NightShop(), start_nursery(DATABASE_URL=own_postgres.url)
    worker = Supervised(nursery)
    for statements, place in places(shop, nursery, bell, POINTS):
        began = time.monotonic()
        shop.next_day()
        with Reader(may_fail=True) as reader:
            nursery.arm(place, signal.SIGQUIT, own_postgres.pid)
            ring_until(nursery.sprung, nursery, bell, f"statement {place} of the night", worker.restart)
            wait_until(lambda: not own_postgres.runs(), PATIENCE, "PostgreSQL's end")
            connection.close()
            own_postgres.start()
            ring_until_ended(shop, nursery, bell, worker.restart)

        assert_figures_as_undisturbed(assert_night_whole(shop))
        what = f"stop PostgreSQL at {place} of {statements}"
        tell(capsys, what, began, f"{len(reader.answers)} readings")


def test_a_night_survives_valkeys_death_anywhere_and_the_next_bell_is_heard(
    own_valkey, night_shop, start_nursery, capsys
):
    """The worker may take it badly and end; the bells that were lost with it cost until the next one."""
    shop, bell = night_shop, Bell(own_valkey.broker)
    nursery = start_nursery(REDIS_URL=own_valkey.url)
    worker = Supervised(nursery)
    for statements, place in places(shop, nursery, bell, POINTS):
        began = time.monotonic()
        shop.next_day()
        with Reader() as reader:
            nursery.arm(place, signal.SIGKILL, own_valkey.pid)
            ring_until(nursery.sprung, nursery, bell, f"statement {place} of the night", worker.restart)
            wait_until(lambda: not own_valkey.runs(), PATIENCE, "Valkey's end")
            own_valkey.start()
            ring_until_ended(shop, nursery, bell, worker.restart)

        assert_figures_as_undisturbed(assert_night_whole(shop))
        tell(
            capsys,
            f"kill Valkey at {place} of {statements}",
            began,
            f"{len(reader.answers)} readings, {worker.restarts} restarts",
        )
    bell.close()
