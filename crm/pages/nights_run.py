"""One run: its stages along the clock, and its figures against those of the nights before."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from math import floor, log10
from statistics import median
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.common.choices import JobState, StageState
from crm.common.models import JobPart, JobRun
from crm.pages.nights_live import NIGHTS, Line, took
from crm.templatetags.crm import money, number
from ltv.choices import RunState
from ltv.models import LtvRun

FEWEST = 3  # nights, to call anything unusual
PARTS = 2_000  # drawn at most
TICKS = 5  # steps of the axis at most
PAUSE = 0.05  # of the time at work: how wide a pause in a run is drawn at most
COLOURS = {StageState.FAILED: "--mc-bad", StageState.RUNNING: "--mc-3", StageState.WAITING: "--mc-line"}


# -- along the clock -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Bar:
    """A stretch of time, as shares of the whole width."""

    left: float
    width: float
    colour: str  # a custom property of the style sheet
    words: str


@dataclass(frozen=True)
class Lane:
    """A line of the drawing: a stage, or under it one worker with the parts it did."""

    name: str
    bars: list[Bar]
    worker: bool = False


@dataclass(frozen=True)
class Gantt:
    lanes: list[Lane]
    ticks: list[tuple[float, str]] = field(default_factory=list)
    pauses: list[tuple[float, str]] = field(default_factory=list)


class Clock:
    """From instants to places between 0 and 1. Hours between a failure and its retry shrink to a narrow gap."""

    def __init__(self, spans: Sequence[tuple[datetime, datetime]]) -> None:
        self.stretches: list[tuple[datetime, datetime]] = []
        for began, ended in sorted(spans):
            if self.stretches and began <= self.stretches[-1][1]:
                last = self.stretches.pop()
                began, ended = last[0], max(last[1], ended)
            self.stretches.append((began, ended))
        self.busy = sum((e - b).total_seconds() for b, e in self.stretches) or 1.0
        self.gaps = [(right[0] - left[1]).total_seconds() for left, right in pairwise(self.stretches)]
        self.drawn = [min(gap, PAUSE * self.busy) for gap in self.gaps]
        self.width = self.busy + sum(self.drawn)

    def place(self, at: datetime) -> float:
        seconds = 0.0
        for n, (began, ended) in enumerate(self.stretches):
            if at <= ended or n == len(self.stretches) - 1:
                return (seconds + max(0.0, (min(at, ended) - began).total_seconds())) / self.width
            seconds += (ended - began).total_seconds() + self.drawn[n]
        return 1.0

    def pauses(self) -> list[tuple[float, str]]:
        """Where the drawing leaves time out, and how much."""
        return [
            (self.place(self.stretches[n][1]), took(gap))
            for n, gap in enumerate(self.gaps)
            if gap > self.drawn[n]
        ]

    def ticks(self) -> list[tuple[float, str]]:
        """Seconds since the beginning, in round steps; with a pause left out only those at work, at the end."""
        if self.drawn != self.gaps:
            return [(0.0, took(0)), (1.0, took(self.busy))]
        step = round_step(self.width, TICKS)
        return [
            (n * step / self.width, _("%(n)s s") % {"n": number(n * step, 6)})
            for n in range(floor(round(self.width / step, 6)) + 1)
        ]


def round_step(whole: float, most: int) -> float:
    """The smallest of 1, 2, 5 times a power of ten of which ``whole`` has at most ``most``."""
    power = 10.0 ** floor(log10(whole / most))
    return next(times * power for times in (1, 2, 5, 10) if times * power * most >= whole)


def gantt(run: JobRun, found: list[Line], now: datetime) -> Gantt | None:
    """The stages that began, each with its workers where parts were shared out; None before the first."""
    spans = [
        (line.row.started_at, line.row.finished_at or now)
        for line in found
        if line.row.started_at is not None
    ]
    if not spans:
        return None
    watch = Clock([(began, max(began, ended)) for began, ended in spans])
    parts = _parts_by_stage(run) if any(line.parts for line in found) else {}
    lanes = []
    for line in found:
        lanes.append(Lane(line.name, _stage_bar(line, watch, now)))
        lanes += _workers(parts.get(line.row.pk, []), watch, now)
    return Gantt(lanes, watch.ticks(), watch.pauses())


def _stage_bar(line: Line, watch: Clock, now: datetime) -> list[Bar]:
    if line.row.started_at is None:
        return []
    colour = COLOURS.get(StageState(line.row.state), f"--mc-{line.row.place % 6 + 1}")
    return [_bar(line.row.started_at, line.row.finished_at or now, colour, line.name, watch)]


def _bar(began: datetime, ended: datetime, colour: str, name: str, watch: Clock) -> Bar:
    left = watch.place(began)
    words = f"{name}: {took((ended - began).total_seconds())}"
    return Bar(left, max(0.003, watch.place(ended) - left), colour, words)


def _parts_by_stage(run: JobRun) -> dict[int, list[JobPart]]:
    found = defaultdict(list)
    parts = JobPart.objects.filter(stage__run=run, started_at__isnull=False)
    for part in parts.order_by("started_at")[:PARTS]:
        found[part.stage_id].append(part)
    return found


def _workers(parts: list[JobPart], watch: Clock, now: datetime) -> list[Lane]:
    by_worker: dict[str, list[Bar]] = defaultdict(list)
    for part in parts:
        colour = COLOURS.get(StageState(part.state), "--mc-6")
        name = _("Part %(n)s, %(rows)s rows") % {"n": part.number, "rows": number(part.rows)}
        assert part.started_at is not None
        by_worker[part.worker].append(_bar(part.started_at, part.finished_at or now, colour, name, watch))
    return [Lane(worker, bars, worker=True) for worker, bars in sorted(by_worker.items())]


# -- against the nights before ---------------------------------------------------------------------------------

FIGURES = {
    "customers": gettext_lazy("Customers"),
    "buyers": gettext_lazy("Buyers"),
    "revenue": gettext_lazy("Revenue so far"),
    "clv": gettext_lazy("Expected margin, 12 months"),
    "seconds": gettext_lazy("Seconds at work, all stages added up"),
}
MONEY = ("revenue", "clv")


@dataclass(frozen=True)
class Band:
    """A figure of this run against the nights before it. Words where it is further off than ever from one to the next."""

    name: str
    value: str
    usual: str
    low: str
    high: str
    at: float | None  # where the value stands between low and high, 0 to 1
    words: str


def bands(run: JobRun, found: list[Line], *, with_money: bool) -> tuple[list[Band], int]:
    """The figures of the run, and how many nights they are held against."""
    mine = run.valuations.order_by("-pk").first()
    before = _earlier(run)
    currency = mine.currency if mine else before[0].currency if before else ""
    names = [name for name in FIGURES if with_money or name not in MONEY]
    took_all = run.state == JobState.DONE  # one that broke off was quicker for no good reason
    current = _values(mine, [line.seconds for line in found] if took_all else [])
    series: dict[str, list[float]] = {name: [] for name in names}
    for valuation in reversed(before):
        for name, value in _values(valuation, _stage_seconds(valuation)).items():
            if name in series and value is not None:
                series[name].append(value)
    return [_band(name, current[name], series[name], currency) for name in names], len(before)


def _earlier(run: JobRun) -> list[LtvRun]:
    """The last published valuation of each of the newest nights before this one, the newest first."""
    published = LtvRun.objects.filter(state=RunState.PUBLISHED, as_of__lt=run.business_date, customers__gt=0)
    newest = published.order_by("-as_of", "-pk").distinct("as_of")[:NIGHTS]
    return list(newest.prefetch_related("job__stages"))


def _stage_seconds(valuation: LtvRun) -> list[float | None]:
    if valuation.job is None:
        return []
    return [
        (stage.finished_at - stage.started_at).total_seconds()
        for stage in valuation.job.stages.all()
        if stage.started_at and stage.finished_at
    ]


def _values(valuation: LtvRun | None, seconds: Sequence[float | None]) -> dict[str, float | None]:
    """None where the run did not come so far."""
    known = valuation is not None and valuation.customers > 0
    values: dict[str, float | None] = {
        name: float(getattr(valuation, name)) if known else None for name in FIGURES if name != "seconds"
    }
    return values | {"seconds": sum(one for one in seconds if one) if any(seconds) else None}


def _band(name: str, value: float | None, series: list[float], currency: str) -> Band:
    def write(one: float | None) -> str:
        return money(one, currency) if name in MONEY else number(one, 1 if name == "seconds" else 0)

    low, high = (min(series), max(series)) if series else (None, None)
    at = None
    if value is not None and low is not None and high is not None:
        at = (value - low) / (high - low) if high > low else 0.5
    return Band(
        name=str(FIGURES[name]),
        value=write(value),
        usual=write(median(series) if series else None),
        low=write(low),
        high=write(high),
        at=None if at is None else min(1.0, max(0.0, at)),
        words=_outside(value, series),
    )


def _outside(value: float | None, series: list[float]) -> str:
    """A shop that grows is above every night before it: unusual is a step larger than any between two of them."""
    if value is None or len(series) < FEWEST:
        return ""
    step = max(abs(right - left) for left, right in pairwise(series))
    place: dict[str, Any] = {"n": len(series)}
    if value > max(series) + step:
        return (
            _("Unusually high: above the last %(n)s nights by more than it ever moved between two.") % place
        )
    if value < min(series) - step:
        return _("Unusually low: below the last %(n)s nights by more than it ever moved between two.") % place
    return ""
