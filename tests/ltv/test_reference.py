"""Every stored figure of every night against plain Python, in shops that live at random and in one that is told how.

``HYPOTHESIS_PROFILE=long`` lives longer (see ``LIVES``); a failure prints the blob that brings it back.
"""

import os
from collections.abc import Iterator
from datetime import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.ltv.living import LivingShop, PowerCut, Refused

pytestmark = pytest.mark.django_db(transaction=True)
LIVES = {"": (3, 5), "long": (100_000, 30)}  # shops, and how much happens in each
NOON = time(3)  # in Seoul
EDGES = (time(14, 59, 59), time(23, 59, 59))  # the last second of a day there, and one of the next day


def order(number: int) -> int:
    """The place of O-<number> among the orders, as long as none before it is deleted."""
    return number - 1


@pytest.fixture(autouse=True)
def _files(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def test_every_figure_of_every_night_is_what_the_ledger_says() -> None:
    shops, steps = LIVES[os.environ.get("HYPOTHESIS_PROFILE", "")]
    LivingShop.nights = 0

    run_state_machine_as_test(LivingShop, settings=living(shops, steps))

    assert LivingShop.nights >= shops


def living(shops: int, steps: int) -> settings:
    return settings(
        max_examples=shops,
        stateful_step_count=steps,
        deadline=None,
        print_blob=True,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )


@pytest.fixture
def shop() -> Iterator[LivingShop]:
    """In Seoul, with books in dollars; it is Monday 2 March, 18:00, and the first night has been."""
    living = LivingShop()
    buys = [
        (0, 100_00, "USD", 0, NOON, None),  # O-1, on the night's own day
        (1, 200_10, "USD", -1, NOON, 40),  # O-2, tomorrow
        (2, 50_00, "USD", 20, NOON, None),  # O-3 and O-4 on one day
        (2, 70_05, "USD", 20, time(10), 30),
        (2, 30_00, "USD", 10, NOON, None),  # O-5
        (3, 999_99, "EUR", 5, time(14, 59, 59), None),  # O-6, a second before midnight
        (3, 10_01, "EUR", 5, time(23, 59, 59), 55),
        (4, 5_000, "JPY", 3, NOON, None),  # O-8, whose rate nobody knows
        (4, 700, "JPY", 2, NOON, None),
    ]
    living.open(zone="Asia/Seoul", base="USD", baskets=buys)
    yield living
    living.teardown()


def test_days_refunds_rates_and_people_in_one_week(shop: LivingShop) -> None:
    """Each rule that a shop at random may not meet in a few nights, on a steady night and by a full pass."""
    shop.a_day_passes(
        [
            ("money_goes_back", order(3), 100, None),  # one of two orders of a day
            ("money_goes_back", order(5), 100, None),  # all of a day
            ("money_goes_back", order(6), 33, None),  # of one whose day, and rate, will be corrected
            ("money_goes_back", order(8), 33, None),  # of one without a rate
            ("rate_comes", "EUR", 2, 1_200_000_000),
            ("rate_comes", "EUR", 0, 1_500_000_000),
            ("people_buy", [(3, 20_00, "EUR", ago, hour, 50) for ago in (3, 2, 1) for hour in EDGES]),
            ("people_buy", [(0, 33_33, "USD", -1, NOON, None)]),  # on the coming night's own day
            ("people_buy", [(2, 9, "USD", 0, EDGES[1], None)]),  # too, yet in UTC on the day before
        ]
    )
    shop.a_day_passes(
        [
            ("rate_comes", "JPY", 1, 7_000_000),  # after the day of what waits for one
            ("rate_comes", "JPY", 4, 9_000_000),  # on the day of one of them
            ("an_import_corrects", order(6), 800_00, "EUR", 2),
            ("an_import_corrects", order(7), 12_34, "EUR", 3),
        ]
    )
    shop.a_day_passes(
        [
            ("policy_changes", 45, 12),  # everybody anew
            ("people_buy", [(0, 44_44, "USD", -1, NOON, None), (1, 5, "KRW", -1, NOON, None)]),
            ("two_were_one", 2, 0),
            ("somebody_is_forgotten", 0),
        ]
    )
    shop.a_day_passes(
        [
            ("money_goes_back", order(8), 100, None),  # all that somebody ever bought
            ("money_goes_back", order(9), 100, None),
            ("an_order_is_deleted_by_hand", order(6)),
        ],
        passing=4,  # a Monday: the audit
    )
    shop.a_day_passes([("people_buy", [(2, 12_34, "USD", 0, NOON, 10)]), ("the_calendar_is_held", 1)])
    shop.a_day_passes([("the_calendar_is_held", None)])


@pytest.mark.parametrize(
    ("fault", "left"), [(None, 5), (PowerCut, 5), (Refused, 4)], ids=["at work", "killed", "failed"]
)
def test_merging_and_erasing_during_a_night_leaves_nothing_wrong(
    shop: LivingShop, fault: type[BaseException] | None, left: int
) -> None:
    """Between the summaries and the figures a merge is refused, and all else waits for the next night.

    Of a night that failed nobody knows when it is tried again: a merge then makes it begin anew.
    """
    meanwhile = [
        ("two_were_one", 2, 1),
        ("somebody_is_forgotten", 3),
        ("money_goes_back", order(4), 100, None),
        ("people_buy", [(2, 77_77, "USD", 1, NOON, None)]),
        ("somebody_comes",),
    ]
    shop.a_night_is_disturbed([], "summaries", meanwhile, fault)
    assert len(shop.customers()) == left

    shop.a_day_passes([("two_were_one", 2, 1)])
