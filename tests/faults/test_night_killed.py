"""A worker dies at twenty places of the night, spread evenly over its statements, and the next ring puts it right."""

import itertools
import signal
import time
from decimal import Decimal

import pytest

from tests.faults.harness import wait_until
from tests.faults.nights import (
    PATIENCE,
    Reader,
    assert_figures_as_undisturbed,
    assert_night_whole,
    places,
    ring_until_ended,
    tell,
)
from tests.faults.trap import ITS_WORKER, ITSELF

pytestmark = pytest.mark.django_db(transaction=True)
POINTS = 10  # of each kind of night


@pytest.mark.parametrize("kind", ["steady", "full"])
def test_a_night_killed_anywhere_is_completed_by_the_next_ring(kind, night_shop, night_nursery, bell, capsys):
    shop, nursery = night_shop, night_nursery
    worker, rates = nursery.worker(), itertools.cycle([Decimal("0.31"), Decimal("0.3")])
    next_day = shop.next_day if kind == "steady" else lambda: shop.next_day(margin_rate=next(rates))
    for point, (statements, place) in enumerate(places(shop, nursery, bell, POINTS, next_day)):
        whole = point % 3 == 1  # else only the process at work on the night
        began = time.monotonic()
        next_day()
        with Reader() as reader:
            nursery.arm(place, signal.SIGKILL, ITS_WORKER if whole else ITSELF)
            bell.ring(shop.job)
            wait_until(nursery.sprung, PATIENCE, f"statement {place} of the night")
            if whole:
                wait_until(lambda dead=worker: not dead.lives(), PATIENCE, "the worker's death")
                worker = nursery.worker()
            ring_until_ended(shop, nursery, bell)

        assert_figures_as_undisturbed(assert_night_whole(shop))
        what = f"kill {'worker' if whole else 'process'} before {place} of {statements}, {kind}"
        tell(capsys, what, began, f"{len(reader.answers)} readings")
