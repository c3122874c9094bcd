"""The bell rings twice at once, and once more while a worker hangs in the middle: the night happens once."""

import signal
import time

import pytest

from crm.common.choices import JobState
from crm.common.models import JobRun
from ltv.models import LtvRun
from tests.faults.harness import wait_until
from tests.faults.nights import PATIENCE, NightShop, Reader, assert_night_whole, ended, ring_until_ended, tell
from tests.faults.trap import ITSELF

pytestmark = pytest.mark.django_db(transaction=True)


def _happened_once(shop: NightShop) -> None:
    run = assert_night_whole(shop)
    assert JobRun.objects.get(business_date=shop.day).attempts == 1
    assert LtvRun.objects.get(as_of=shop.day) == run  # nor is there one that was given up


def test_four_rings_at_once_make_one_night(night_shop, night_nursery, bell, capsys):
    shop, workers = night_shop, [night_nursery.worker(), night_nursery.worker()]
    shop.next_day()
    ring_until_ended(shop, night_nursery, bell)
    for _night in range(3):
        began = time.monotonic()
        shop.next_day()
        with Reader() as reader:
            bell.ring(*[shop.job] * 4)
            wait_until(ended(shop), PATIENCE, "the end of the night")

        _happened_once(shop)
        tell(
            capsys, f"four rings at once to {len(workers)} workers", began, f"{len(reader.answers)} readings"
        )


def test_a_ring_while_a_worker_hangs_changes_nothing(night_shop, night_nursery, bell, capsys):
    shop, nursery, worker = night_shop, night_nursery, night_nursery.worker()
    shop.next_day()
    ring_until_ended(shop, nursery, bell)
    for place in (
        20,
        60,
        80,
    ):  # from the figures on it may be another who hangs, with a part, and is done without
        began = time.monotonic()
        shop.next_day()
        nursery.arm(place, signal.SIGSTOP, ITSELF)
        bell.ring(shop.job)
        wait_until(nursery.sprung, PATIENCE, f"statement {place} of the night")

        bell.ring(shop.job)  # the worker's other process hears it
        wait_until(lambda place=place: nursery.said() > place, PATIENCE, "the second ring")
        nursery.hear_nothing(seconds=0.7)

        tonight = JobRun.objects.get(business_date=shop.day)
        assert (tonight.state, tonight.attempts) == (JobState.RUNNING, 1)
        worker.resume()
        wait_until(ended(shop), PATIENCE, "the end of the night")
        _happened_once(shop)
        tell(capsys, f"freeze at statement {place} and ring again", began)
