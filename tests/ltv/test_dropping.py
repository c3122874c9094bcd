"""Old runs' tables go, whatever held them or broke the going off."""

import itertools
from datetime import timedelta

import pytest
from django.db import connection, connections

from ltv.choices import RunState
from ltv.models import LtvRun
from ltv.services import night, publishing
from tests.factories import PurchaseFactory

pytestmark = pytest.mark.django_db(transaction=True)


def _attached() -> list[int]:
    """The runs whose table readers' plans know, the oldest first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND relispartition")
        tables = {name for (name,) in cursor.fetchall()}
    return [run.pk for run in LtvRun.objects.order_by("pk") if publishing.table_name(run.pk) in tables]


def _pending() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_inherits WHERE inhdetachpending")
        return cursor.fetchone()[0]


@pytest.fixture
def nights(now, shop):
    """Calls the next night."""
    PurchaseFactory()
    days = (now + timedelta(days=number) for number in itertools.count())

    def next_night() -> None:
        at = next(days)
        night.run_due(clock=lambda: at)

    return next_night


def _newest(count: int) -> list[int]:
    return sorted(LtvRun.objects.order_by("-pk").values_list("pk", flat=True)[:count])


def _some(nights, count: int) -> None:
    for _ in range(count):
        nights()


@pytest.fixture
def slow_reader():
    """A connection that has read the figures in a transaction which it does not end."""
    reader = connections.create_connection("default")
    reader.set_autocommit(False)
    with reader.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ltv_current")
    yield reader
    reader.close()


def test_what_a_reader_holds_goes_with_the_first_night_after_they_left(nights, request):
    _some(nights, publishing.ATTACHED)
    reader = request.getfixturevalue("slow_reader")
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '50ms'")  # what it waits for the reader

    nights()
    held, pending = len(_attached()), _pending()
    nights()
    still_held = len(_attached())
    reader.rollback()
    nights()

    assert (held, pending, still_held) == (publishing.ATTACHED + 1, 1, publishing.ATTACHED + 2)
    assert _attached() == _newest(publishing.ATTACHED)
    assert _pending() == 0


@pytest.mark.parametrize("detached", [False, True])
def test_an_abandoned_runs_table_goes_the_same_night_however_far_it_came(detached, nights):
    _some(nights, 2)
    dead = LtvRun.objects.order_by("pk").first()
    LtvRun.objects.filter(pk=dead.pk).update(state=RunState.ABANDONED, published_at=None)
    if detached:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE ltv_customerltv DETACH PARTITION {publishing.table_name(dead.pk)}")

    publishing.drop_old()

    assert not publishing.has_table(dead)
    assert _attached() == _newest(1)
