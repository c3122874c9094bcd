"""A month of nights: which ran at once, which late or again, which failed, and which never came."""

from calendar import Calendar
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from babel import Locale
from babel.dates import format_skeleton
from django.db.models import Exists, Min
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from crm.common.choices import JobState
from crm.common.models import JobRun, Shop
from crm.common.orm import related
from crm.pages.nights_live import runs_of_the_night, took
from crm.templatetags.crm import clock

LATE = time(6)  # the shop's clock, the morning after: figures are wanted by then
ICONS = {
    "good": "check",
    "warm": "replay",
    "bad": "close",
    "missed": "event_busy",
    "busy": "hourglass_top",
    "none": "",
}


@dataclass(frozen=True)
class Day:
    """One business date: how its night went, in a colour, a mark and words."""

    day: date
    mark: str  # a key of ICONS
    words: str
    run_id: int | None
    in_month: bool
    is_today: bool

    @property
    def icon(self) -> str:
        return ICONS[self.mark]


@dataclass(frozen=True)
class Month:
    name: str
    weekdays: list[str]
    weeks: list[list[Day]]
    before: str  # "2026-02"; empty: there is nothing earlier
    after: str


def month_of_nights(shop: Shop, wanted: str, now: datetime) -> Month:
    """The month ``wanted`` (``2026-03``), or the present one, in the shop's calendar."""
    today = shop.business_date(now)
    first = _parsed(wanted) or today.replace(day=1)
    locale = Locale.parse((get_language() or "en").replace("-", "_"))
    weeks = Calendar(locale.first_week_day).monthdatescalendar(first.year, first.month)
    begun = runs_of_the_night().aggregate(first=Min("business_date"))["first"]
    runs = _runs_by_date(weeks[0][0], weeks[-1][-1])
    names = locale.days["stand-alone"]["abbreviated"]
    last_month = (first - timedelta(days=1)).replace(day=1)
    next_month = (first + timedelta(days=31)).replace(day=1)
    return Month(
        name=format_skeleton("yMMMM", first, locale=locale),
        weekdays=[names[(locale.first_week_day + n) % 7] for n in range(7)],
        weeks=[
            [_day(day, runs.get(day, []), _Scene(shop, today, begun, first.month)) for day in week]
            for week in weeks
        ],
        before=f"{last_month:%Y-%m}" if begun and begun < first else "",
        after=f"{next_month:%Y-%m}" if next_month <= today else "",
    )


@dataclass(frozen=True)
class _Scene:
    """What a day is judged against."""

    shop: Shop
    today: date
    begun: date | None  # the business date of the very first run
    month: int


def _parsed(wanted: str) -> date | None:
    try:
        return date.fromisoformat(f"{wanted}-01")
    except ValueError:
        return None


def _runs_by_date(first: date, last: date) -> dict[date, list[JobRun]]:
    """Each date's runs: the night itself, then what staff asked for."""
    again = related(JobRun.objects.all(), "stages").filter(attempts__gt=1)
    runs = runs_of_the_night().filter(business_date__range=(first, last))
    found: dict[date, list[JobRun]] = {}
    for run in runs.annotate(again=Exists(again)).order_by("occurrence"):
        found.setdefault(run.business_date, []).append(run)
    return found


def _day(day: date, runs: list[JobRun], scene: _Scene) -> Day:
    mark, words = _judged(day, runs, scene)
    return Day(
        day=day,
        mark=mark,
        words=words,
        run_id=runs[-1].pk if runs else None,
        in_month=day.month == scene.month,
        is_today=day == scene.today,
    )


def _judged(day: date, runs: list[JobRun], scene: _Scene) -> tuple[str, str]:
    if not runs:
        return _without_run(day, scene)
    good = next((run for run in runs if run.state == JobState.DONE), None)
    if good is not None:
        return _of_good(day, runs, good, scene)
    if any(run.is_open for run in runs):
        return "busy", _("Not finished yet")
    return "bad", _("Failed")


def _without_run(day: date, scene: _Scene) -> tuple[str, str]:
    if scene.begun and scene.begun < day < scene.today:
        return "missed", _("No run: this night was missed")
    return "none", _("No run")


def _of_good(day: date, runs: list[JobRun], good: JobRun, scene: _Scene) -> tuple[str, str]:
    assert good.finished_at is not None
    began = good.started_at or good.finished_at
    done = _("Done at %(at)s, in %(took)s") % {
        "at": clock(good.finished_at),
        "took": took((good.finished_at - began).total_seconds()),
    }
    if runs[0] is not good or good.attempts > 1 or good.again:  # type: ignore[attr-defined]
        return "warm", done + ". " + _("Only after another attempt")
    if is_late(scene.shop, day, good.finished_at) and day != scene.begun:
        return "warm", done + ". " + _("Late")
    return "good", done


def is_late(shop: Shop, day: date, at: datetime) -> bool:
    """After the morning hour of the night's day; a calendar held at a day in the past has no mornings."""
    return shop.frozen_on is None and at > datetime.combine(day, LATE, tzinfo=shop.zone)
