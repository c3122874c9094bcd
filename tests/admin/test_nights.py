"""The pages of the night: what is at work, how the nights of a month went, one run, and letting a failed one go on."""

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.urls import reverse

from crm.common.choices import JobState, StageState
from crm.common.models import JobRun, Shop
from crm.pages.nights_live import took
from crm.pages.nights_run import Clock
from tests.admin.nights import SECONDS, a_night, share_out

SEOUL = ZoneInfo("Asia/Seoul")
TODAY = date(2026, 3, 20)
NOON = datetime(2026, 3, 20, 12, tzinfo=SEOUL)


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOON, tick=False):
        yield


def at_night(on: date) -> datetime:
    return datetime(on.year, on.month, on.day, 0, 10, tzinfo=SEOUL)


def quiet_nights(count: int, **facts) -> list[JobRun]:
    """As many good nights, the last one for today."""
    days = [TODAY - timedelta(days=n) for n in range(count - 1, -1, -1)]
    return [a_night(on, began=at_night(on), **facts) for on in days]


@pytest.fixture
def read(browser_of_staff, shop):
    def page(name: str, *args: object, **query: str) -> str:
        return browser_of_staff.get(reverse(f"crm:{name}", args=args), query).content.decode()

    return page


def marks(page: str) -> dict[int, str]:
    """Each day of the calendar and its colour."""
    found = re.findall(r'mc-calendar__day--(\w+)"[^>]*?><span>(\d+)</span>', page, re.S)
    return {int(number): mark for mark, number in found}


# -- live ------------------------------------------------------------------------------------------------------


@pytest.fixture
def progress(browser_of_staff, shop):
    return lambda run: browser_of_staff.get(reverse("crm:night_progress", args=[run.pk])).json()


def test_a_stage_that_counts_its_rows_says_its_speed_and_the_time_left(progress):
    run = a_night(TODAY, began=NOON - timedelta(seconds=10), running="predictions")
    run.stages.filter(name="predictions").update(
        started_at=NOON - timedelta(seconds=4), done=2000, total=5000, attempts=2
    )

    answer = progress(run)

    assert (answer["state"], answer["finished"]) == ("running", False)
    assert answer["words"] == "Predictions: 2,000 of 5,000"
    assert answer["said"] == "Stage 2 of 6: Predictions"
    assert answer["percent"] == round(100 * (1 + 0.4) / 6)  # no earlier night: every stage weighs the same
    assert answer["left"] == ""
    assert answer["stages"][0]["figures"] == "1,000 rows · 4 s · 250 a second"
    assert answer["stages"][1] == {
        "name": "predictions",
        "state": "running",
        "state_words": "Running",
        "icon": "play_circle",
        "percent": 40,
        "figures": "2,000 of 5,000 · 500 a second · about 6 s left",
        "who": "night-1:4211 · attempt 2",
    }


def test_a_stage_that_does_not_count_is_timed_by_the_median_of_earlier_nights(progress):
    for run in quiet_nights(3)[:2]:
        run.stages.filter(name="figures").update(finished_at=at_night(TODAY) + timedelta(days=1))
    JobRun.objects.filter(business_date=TODAY).delete()
    a_night(TODAY - timedelta(days=3), began=at_night(TODAY), customers=1)
    run = a_night(TODAY, began=NOON, running="checks")
    run.stages.filter(name="checks").update(started_at=NOON - timedelta(seconds=0.25))

    answer = progress(run)

    assert answer["stages"][3]["percent"] == 25  # of the one second it usually takes
    assert answer["left"] == "about 4 s left"  # the rest of it, publish 2 s, tidy 1 s


def test_the_time_of_an_unknown_stage_is_not_made_up(progress):
    run = a_night(TODAY, began=NOON, running="summaries")

    assert progress(run)["stages"][0]["percent"] is None
    assert progress(run)["left"] == ""


def test_parts_are_counted_and_a_run_that_waits_says_so(progress):
    run = a_night(TODAY, began=NOON, running="summaries")
    share_out(run.stages.get(name="summaries"), 8, done=3)
    waiting = JobRun.objects.create(job=run.job, business_date=TODAY, occurrence=1, requested_at=NOON)

    assert progress(run)["stages"][0]["who"] == "night-1:4211 · 3 of 8 parts"
    assert progress(waiting)["words"] == "Waiting for a worker to take it …"
    assert progress(waiting)["stages"] == []


def test_the_list_leaves_it_to_the_panel_above_how_far_the_run_at_work_is(read):
    run = a_night(TODAY, began=NOON, running="publish")
    asked = {"job": run.job, "business_date": TODAY, "requested_at": NOON}
    JobRun.objects.create(occurrence=1, **asked)

    page = read("nights")

    assert page.count("Publishing, segments, campaigns …") == 1
    assert page.count("Shown above") == 1
    assert page.count("Waiting for a worker to take it …") == 1


# -- the calendar ----------------------------------------------------------------------------------------------


def test_the_calendar_says_how_each_night_went(read):
    quiet_nights(10)
    JobRun.objects.filter(business_date__in=[date(2026, 3, 13), date(2026, 3, 15)]).delete()
    a_night(date(2026, 3, 15), began=at_night(date(2026, 3, 15)), failed_at="checks")
    JobRun.objects.filter(business_date=date(2026, 3, 16)).update(attempts=2)
    late = datetime(2026, 3, 17, 6, 1, tzinfo=SEOUL)
    JobRun.objects.filter(business_date=date(2026, 3, 17)).update(finished_at=late)
    JobRun.objects.get(business_date=date(2026, 3, 18)).stages.filter(name="figures").update(attempts=2)
    JobRun.objects.filter(business_date=TODAY).delete()
    a_night(TODAY, began=NOON, running="figures")

    found = marks(read("nights"))

    assert found == {
        **dict.fromkeys(range(1, 32), "none"),
        **dict.fromkeys([11, 12, 14, 19], "good"),
        13: "missed", 15: "bad", 16: "warm", 17: "warm", 18: "warm", 20: "busy",
    }  # fmt: skip


def test_a_night_saved_by_a_second_run_is_amber_and_leads_to_it(read):
    yesterday = TODAY - timedelta(days=1)
    a_night(yesterday, began=at_night(yesterday), failed_at="figures")
    again = a_night(yesterday, began=at_night(yesterday), occurrence=1)

    page = read("nights")

    assert marks(page)[19] == "warm"
    day = page[page.index("mc-calendar__day--warm") :]
    assert day[: day.index("</a>")].count(reverse("crm:night", args=[again.pk])) == 1
    assert "Mar 19, 2026: Done at 00:10, in 16 s. Only after another attempt" in page


def test_the_shops_first_day_and_a_calendar_held_in_the_past_are_never_late(read):
    a_night(TODAY, began=NOON)
    assert marks(read("nights"))[20] == "good"

    Shop.objects.update(frozen_on=date(1998, 7, 1))
    a_night(date(1998, 6, 30), began=NOON)
    a_night(date(1998, 7, 1), began=NOON)
    assert marks(read("nights"))[1] == "good"


@pytest.mark.parametrize(
    ("wanted", "shown"), [("2026-02", "February"), ("1x", "March"), ("2026-13", "March")]
)
def test_another_month_can_be_asked_for(read, wanted, shown):
    quiet_nights(40)

    page = read("nights", month=wanted)

    assert f"{shown} 2026" in page
    assert ("The month after" in page) == (shown == "February")
    assert ("The month before" in page) == (shown == "March")  # the first night was in February


# -- one run ---------------------------------------------------------------------------------------------------


def test_a_run_is_drawn_along_the_clock_with_its_workers_below(read):
    run = a_night(TODAY, began=at_night(TODAY))
    share_out(run.stages.get(name="summaries"), 4, done=4)

    page = read("night", run.pk)

    whole = sum(SECONDS.values())
    bars = re.findall(r'<rect x="([\d.]+)" y="0" width="([\d.]+)"', page)
    assert len(bars) == 6 + 4
    assert bars[0] == ("0.0000", f"{4 / whole:.4f}")
    assert bars[-1] == (f"{15 / whole:.4f}", f"{1 / whole:.4f}")
    assert "a:1" in page
    assert "b:2" in page
    assert "4 / 4" in page


def test_a_pause_between_a_failure_and_its_retry_is_drawn_short():
    began = at_night(TODAY)
    seconds = timedelta(seconds=1)
    clock = Clock([(began, began + 10 * seconds), (began + 3600 * seconds, began + 3610 * seconds)])

    assert [place for place, _words in clock.pauses()] == [10 / 21]
    assert clock.place(began + 3600 * seconds) == 11 / 21
    assert clock.place(began + 3610 * seconds) == 1.0


def test_the_moments_between_stages_belong_to_the_clock():
    began, seconds = at_night(TODAY), timedelta(seconds=1)
    clock = Clock([(began, began + 38 * seconds), (began + 40 * seconds, began + 80 * seconds)])

    assert clock.pauses() == []
    assert [words for _place, words in clock.ticks()] == [took(n) for n in (0, 20, 40, 60, 80)]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (1.7, ["0 s", "0.5 s", "1 s", "1.5 s"]),
        (0.3, ["0 s", "0.1 s", "0.2 s", "0.3 s"]),
        (16, ["0 s", "5 s", "10 s", "15 s"]),
        (327, ["0 s", "100 s", "200 s", "300 s"]),
    ],
)
def test_the_axis_has_round_steps(seconds, words):
    began = at_night(TODAY)
    ticks = Clock([(began, began + timedelta(seconds=seconds))]).ticks()

    assert [said for _place, said in ticks] == words
    assert ticks[1][0] == pytest.approx(float(words[1].removesuffix(" s")) / seconds)


def test_each_of_a_runs_durations_says_what_it_is(read):
    run = a_night(TODAY, began=at_night(TODAY), customers=10)
    JobRun.objects.update(finished_at=run.finished_at + timedelta(seconds=3))

    page = read("night", run.pk)

    assert "19 s from start to finish" in page
    assert "Seconds since the first stage began." in page
    assert "Seconds at work, all stages added up" in page
    assert "Seconds, start to finish" in read("nights")


def test_the_second_run_of_a_date_is_number_two(read):
    a_night(TODAY, began=at_night(TODAY))
    again = a_night(TODAY, began=NOON, occurrence=1)

    assert '<span class="mc-soft">#2</span>' in read("nights")
    assert "#2 · " in read("night", again.pk)
    assert str(again).endswith(" #2")


def test_the_first_night_has_no_columns_for_the_nights_before(read):
    page = read("night", a_night(TODAY, began=at_night(TODAY), customers=10).pk)

    assert "This run" in page
    assert "Median" not in page


def test_figures_are_held_against_the_nights_before(read):
    for n, run in enumerate(quiet_nights(6)):
        run.delete()
        on = TODAY - timedelta(days=5 - n)
        a_night(on, began=at_night(on), customers=1000 + n * 10, revenue=Decimal(500 + n))
    odd = a_night(
        TODAY + timedelta(days=1), began=NOON, customers=900, revenue=Decimal(506)
    )  # it always grew by one

    page = read("night", odd.pk)

    assert page.count("Unusually low: below the last 6 nights") == 2  # customers, and with them buyers
    assert "Unusually high" not in page
    assert "$502.50" in page  # the median
    assert "the last 6 nights; the mark is this run" in page


def test_too_few_nights_call_nothing_unusual(read):
    quiet_nights(2, customers=10)
    odd = a_night(TODAY + timedelta(days=1), began=NOON, customers=10_000)

    page = read("night", odd.pk)

    assert "Too few nights yet" in page
    assert "Unusually" not in page


# -- retry -----------------------------------------------------------------------------------------------------


def test_a_failed_run_goes_on_from_the_stage_asked_for(press, read, staff):
    run = a_night(TODAY, began=at_night(TODAY), failed_at="publish")
    assert read("night", run.pk).count("Retry from here") == 5  # tidying up had not begun

    press("night_retry", run.pk, stage="figures")

    run.refresh_from_db()
    assert (run.state, run.requested_by) == (JobState.REQUESTED, staff)
    states = list(run.stages.values_list("state", flat=True))
    assert states == [StageState.DONE] * 2 + [StageState.WAITING] * 4


def test_a_run_that_ended_well_or_was_overtaken_is_not_retried(press, read):
    failed = a_night(TODAY - timedelta(days=1), began=at_night(TODAY), failed_at="publish")
    good = a_night(TODAY, began=at_night(TODAY))
    assert "Retry from here" not in read("night", failed.pk) + read("night", good.pk)

    answers = [press("night_retry", run.pk).content.decode() for run in (failed, good)]

    assert "A newer run has been published since." in answers[0]
    assert "This run ended well." in answers[1]
    assert not JobRun.objects.filter(state=JobState.REQUESTED).exists()


def test_who_may_only_look_is_offered_no_retry(as_role, shop):
    run = a_night(TODAY, began=at_night(TODAY), failed_at="publish")

    page = as_role("viewer").get(reverse("crm:night", args=[run.pk])).content.decode()

    assert "Broke off at" in page
    assert "Retry" not in page


# -- Today -----------------------------------------------------------------------------------------------------


@pytest.fixture
def today(browser_of_staff, shop):
    return lambda: browser_of_staff.get("/admin/").content.decode()


def test_today_says_that_the_checks_kept_yesterdays_figures_and_why(today):
    a_night(TODAY - timedelta(days=1), began=NOON, customers=10)
    run = a_night(TODAY, began=at_night(TODAY), failed_at="checks")

    page = today()

    assert "The checks refused last night&#x27;s figures" in page
    assert "revenue 10 against 11 in the summaries" in page
    assert "GateRefused" not in page
    assert reverse("crm:night", args=[run.pk]) in page
    assert "mc-card--bad" in page


def test_today_says_where_a_night_broke_off(today):
    a_night(TODAY, began=at_night(TODAY), failed_at="predictions", error="MemoryError")

    page = today()

    assert "Last night&#x27;s run broke off at the stage “Predictions”. There are no figures yet." in page
    assert "MemoryError" in page


@pytest.mark.parametrize(
    ("newest", "hour", "words"),
    [
        (TODAY - timedelta(days=1), 12, "The night of Mar 20, 2026 did not run."),
        (TODAY - timedelta(days=1), 5, None),  # it may still come
        (TODAY - timedelta(days=3), 5, "No night has run since Mar 17, 2026."),
        (TODAY, 12, None),
    ],
)
def test_today_says_that_a_night_was_missed(today, newest, hour, words):
    a_night(newest, began=at_night(newest))

    with time_machine.travel(NOON.replace(hour=hour), tick=False):
        page = today()

    assert ("mc-card--bad" in page) == (words is not None)
    assert words is None or words in page


def test_today_is_silent_where_the_calendar_is_held_in_the_past(today):
    Shop.objects.update(frozen_on=date(1998, 7, 1))
    a_night(date(1998, 7, 1), began=NOON)

    assert "mc-card--bad" not in today()
