"""The last night as the start page tells it, and why the figures are not last night's when they are not."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils.translation import gettext as _

from crm.common.choices import JobState, StageState
from crm.common.models import JobRun, Shop
from crm.pages import nights_live
from crm.pages.nights_calendar import is_late
from crm.pages.nights_live import Line
from crm.templatetags.crm import day

GATE = "checks"  # the stage that refuses figures which do not add up
_CLASS = re.compile(r"^[\w.]+: (?=\S)")  # "ltv.services.publishing.GateRefused: "


@dataclass(frozen=True)
class Stage:
    """A stage that ended, with its share of the run's time."""

    name: str
    seconds: float
    rows: int
    share: float
    colour: str


@dataclass(frozen=True)
class Night:
    """A run as staff read it."""

    run: JobRun
    lines: list[Line]
    percent: int
    words: str
    said: str
    left: str

    @property
    def is_open(self) -> bool:
        return self.run.is_open

    @property
    def stages(self) -> list[Stage]:
        ended = [line for line in self.lines if line.row.finished_at and line.seconds is not None]
        total = sum(line.seconds or 0 for line in ended) or 1
        return [
            Stage(line.name, line.seconds or 0, line.row.done, (line.seconds or 0) / total, line.colour)
            for line in ended
        ]

    @property
    def seconds(self) -> float | None:
        run = self.run
        return (
            (run.finished_at - run.started_at).total_seconds() if run.started_at and run.finished_at else None
        )

    @property
    def failed(self) -> Line | None:
        """The stage the run broke off at."""
        return next((line for line in self.lines if line.row.state == StageState.FAILED), None)

    @property
    def reason(self) -> str:
        """The last line of what went wrong."""
        return last_words(self.run.error)


@dataclass(frozen=True)
class Notice:
    """Why the figures are older than they should be."""

    words: str
    reason: str = ""
    missed: bool = False  # there is no run to look at


def last_words(error: str) -> str:
    """The last line of a traceback, without the names of our classes."""
    lines = [line for line in error.strip().splitlines() if line.strip()]
    return _CLASS.sub("", lines[-1].strip()) if lines else ""


def night_of(run: JobRun, now: datetime, usual: dict[str, float]) -> Night:
    found = nights_live.lines(run, now, usual)
    remaining = nights_live.seconds_left(found)
    return Night(
        run=run,
        lines=found,
        percent=nights_live.percent(run, found, usual),
        words=nights_live.words(run, found),
        said=nights_live.said(run, found),
        left="" if remaining is None else nights_live.left(remaining),
    )


def last_night(now: datetime) -> Night | None:
    """The last run of the newest business date: what staff asked for comes after the night itself."""
    runs = nights_live.with_stages(nights_live.runs_of_the_night())
    run = runs.order_by("-business_date", "-occurrence").first()
    return night_of(run, now, nights_live.usual_seconds()) if run else None


def notice(night: Night | None, shop: Shop, now: datetime, as_of: date | None) -> Notice | None:
    """Why the figures shown are not last night's; None when they are, or the night is still at work."""
    if night is None:
        return None
    missed = _missed(night.run, shop, now)
    if missed:
        return Notice(f"{missed} {_figures(as_of)}", missed=True)
    if night.run.state != JobState.FAILED:
        return None
    failed = night.failed
    if failed is not None and failed.row.name == GATE:
        words = _("The checks refused last night's figures, because they did not add up.")
    elif failed is not None:
        words = _("Last night's run broke off at the stage “%(stage)s”.") % {"stage": failed.name}
    else:
        words = _("Last night's run failed.")
    return Notice(f"{words} {_figures(as_of)}", night.reason)


def _missed(newest: JobRun, shop: Shop, now: datetime) -> str:
    today = shop.business_date(now)
    first = newest.business_date + timedelta(days=1)
    last = today if is_late(shop, today, now) else today - timedelta(days=1)
    if first > last:
        return ""
    if first == last:
        return _("The night of %(day)s did not run.") % {"day": day(first)}
    return _("No night has run since %(day)s.") % {"day": day(newest.business_date)}


def _figures(as_of: date | None) -> str:
    if as_of is None:
        return _("There are no figures yet.")
    return _("The figures shown are those of %(day)s.") % {"day": day(as_of)}
