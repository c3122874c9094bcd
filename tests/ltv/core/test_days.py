"""Which day an instant falls on, where the shop is."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ltv.core import summary
from ltv.core.days import local_days


def test_an_instant_is_another_day_elsewhere():
    instant = np.array(["2026-03-01T15:30:00"], "datetime64[s]")

    assert local_days(instant, "UTC")[0] == np.datetime64("2026-03-01")
    assert local_days(instant, "Asia/Seoul")[0] == np.datetime64("2026-03-02")
    assert local_days(instant.astype(np.int64), "America/New_York")[0] == np.datetime64("2026-03-01")


def test_a_purchase_just_before_midnight_and_one_just_after_are_two_days():
    instants = np.array(["2026-03-01T14:59:59", "2026-03-01T15:00:00"], "datetime64[s]")
    days = local_days(instants, "Asia/Seoul")

    assert list(days.astype(str)) == ["2026-03-01", "2026-03-02"]
    assert summary.summarise(summary.purchase_log(["a", "a"], days, [1, 2])).x == 1


@settings(max_examples=25, deadline=None)
@given(
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"]),
    instants=st.lists(st.integers(0, 2_000_000_000), min_size=1, max_size=40),
)
def test_days_are_those_of_the_calendar(zone, instants):
    expected = [datetime.fromtimestamp(at, UTC).astimezone(ZoneInfo(zone)).date() for at in instants]

    assert list(local_days(instants, zone).astype(object)) == expected


def test_the_second_in_which_summer_time_begins_and_ends():
    # Berlin 2025: UTC+2 from 30 March 01:00 UTC to 26 October 01:00 UTC
    around = ["2025-03-29T22:59:59", "2025-03-29T23:00:00", "2025-10-25T21:59:59", "2025-10-25T22:00:00"]

    days = local_days(np.array(around, "datetime64[s]"), "Europe/Berlin")

    assert list(days.astype(object)) == [
        date(2025, 3, 29), date(2025, 3, 30), date(2025, 10, 25), date(2025, 10, 26),
    ]  # fmt: skip


def test_no_instant_is_no_day():
    assert len(local_days([], "UTC")) == 0


@pytest.mark.parametrize(
    ("instants", "zone", "why"),
    [
        ([0], "Mars/Olympus", "no time zone 'Mars/Olympus'"),
        ([0], "../etc/passwd", "no time zone"),
        ([0.5], "UTC", "whole seconds"),
        (np.array(["2026-01-01", "NaT"], "M8[s]"), "UTC", r"instants\[1\] is missing"),
        ([0, 2**60], "UTC", r"instants\[1\] is outside the years 1 to 9999"),
    ],
)
def test_what_is_no_instant_is_named(instants, zone, why):
    with pytest.raises(ValueError, match=why):
        local_days(instants, zone)
