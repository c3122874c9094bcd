"""Where a run is: each stage's rows, speed and time left, from its row and from how long earlier nights took."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

from django.db.models import Count, Prefetch, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from crm.common.choices import JobState, StageState
from crm.common.models import JobRun, JobStage
from crm.common.orm import related
from crm.templatetags.crm import number
from ltv.services import night

STAGES = {
    "summaries": gettext_lazy("Purchase summaries"),
    "predictions": gettext_lazy("Predictions"),
    "figures": gettext_lazy("Figures of every customer"),
    "checks": gettext_lazy("Checks"),
    "publish": gettext_lazy("Publishing, segments, campaigns"),
    "tidy": gettext_lazy("Tidying up"),
}
NIGHTS = 14  # whose median says how long a stage takes
NEARLY = 0.95  # as far as a stage gets by the clock alone
ICONS = {
    StageState.WAITING: "schedule",
    StageState.RUNNING: "play_circle",
    StageState.DONE: "check_circle",
    StageState.FAILED: "error",
}


@dataclass(frozen=True)
class Line:
    """A stage as staff read it."""

    row: JobStage
    name: str
    colour: str
    seconds: float | None  # taken, or so far
    rate: float | None  # rows a second
    share: float | None  # None: at work, and nobody knows how far
    left: float | None  # seconds
    parts: int
    parts_done: int

    @property
    def icon(self) -> str:
        return ICONS[StageState(self.row.state)]

    @property
    def percent(self) -> int | None:
        return None if self.share is None else round(100 * self.share)

    @property
    def figures(self) -> str:
        """``1,200 of 5,000 · 300 a second · about 13 s left``, as far as it is known."""
        row, words = self.row, []
        if row.state == StageState.RUNNING and row.done and row.total:
            words.append(_("%(done)s of %(total)s") % {"done": number(row.done), "total": number(row.total)})
        if row.state == StageState.DONE:
            rows = ngettext("%(n)s row", "%(n)s rows", row.done) % {"n": number(row.done)}
            words += [rows, took(self.seconds)]
        if self.rate:
            words.append(_("%(rate)s a second") % {"rate": number(round(self.rate))})
        if row.state == StageState.RUNNING:
            words.append(left(self.left) if self.left is not None else took(self.seconds))
        return " · ".join(words)

    @property
    def who(self) -> str:
        """The worker, and how many of the parts are done."""
        words = [self.row.worker] if self.row.worker else []
        if self.parts:
            words.append(
                ngettext("%(done)s of %(all)s part", "%(done)s of %(all)s parts", self.parts)
                % {"done": self.parts_done, "all": self.parts}
            )
        if self.row.attempts > 1:
            words.append(_("attempt %(n)s") % {"n": self.row.attempts})
        return " · ".join(words)


def with_stages(runs: QuerySet[JobRun]) -> QuerySet[JobRun]:
    """The runs, each stage with how many parts it has and how many of them are done."""
    parts = related(JobStage.objects.all(), "parts").order_by().values("stage")
    stages = JobStage.objects.annotate(
        parts_all=_count(parts), parts_done=_count(parts.filter(state=StageState.DONE))
    )
    return runs.select_related("requested_by").prefetch_related(Prefetch("stages", stages))


def _count(rows: QuerySet[Any]) -> Coalesce:
    return Coalesce(Subquery(rows.annotate(n=Count("pk")).values("n")), 0)


def runs_of_the_night() -> QuerySet[JobRun]:
    return JobRun.objects.filter(job=night.JOB)


def usual_seconds() -> dict[str, float]:
    """How long each stage took in the last nights: the median, by the stage's name."""
    newest = runs_of_the_night().filter(state=JobState.DONE).order_by("-business_date", "-occurrence")
    rows = JobStage.objects.filter(run__in=newest.values("pk")[:NIGHTS], state=StageState.DONE)
    taken: dict[str, list[float]] = {}
    for name, began, ended in rows.values_list("name", "started_at", "finished_at"):
        if began and ended:
            taken.setdefault(name, []).append((ended - began).total_seconds())
    return {name: median(found) for name, found in taken.items()}


def lines(run: JobRun, now: datetime, usual: Mapping[str, float]) -> list[Line]:
    return [_line(stage, now, usual.get(stage.name)) for stage in run.stages.all()]


def _line(row: JobStage, now: datetime, usual: float | None) -> Line:
    seconds = _seconds(row, now)
    share, remaining = _how_far(row, seconds, usual)
    return Line(
        row=row,
        name=str(STAGES.get(row.name, row.name)),
        colour=f"mc-c{row.place % 6 + 1}",
        seconds=seconds,
        rate=row.done / seconds if seconds and row.done else None,
        share=share,
        left=remaining,
        parts=getattr(row, "parts_all", 0),
        parts_done=getattr(row, "parts_done", 0),
    )


def _seconds(row: JobStage, now: datetime) -> float | None:
    if row.started_at is None:
        return None
    return max(0.0, ((row.finished_at or now) - row.started_at).total_seconds())


def _how_far(row: JobStage, seconds: float | None, usual: float | None) -> tuple[float | None, float | None]:
    """Share done and seconds left: by its rows while it counts them, else by the clock against earlier nights."""
    if row.state == StageState.DONE:
        return 1.0, 0.0
    if row.state == StageState.FAILED:
        return min(1.0, row.done / row.total) if row.total else 0.0, None
    if row.state == StageState.WAITING or seconds is None:
        return 0.0, usual
    if row.done and row.total:
        share = min(1.0, row.done / row.total)
        return share, seconds * (1 - share) / share
    if usual is None:
        return None, None
    return min(NEARLY, seconds / usual if usual else NEARLY), max(0.0, usual - seconds)


# -- the run as a whole ----------------------------------------------------------------------------------------


def at_work(found: list[Line]) -> Line | None:
    return next((line for line in found if line.row.state == StageState.RUNNING), None)


def percent(run: JobRun, found: list[Line], usual: Mapping[str, float]) -> int:
    """Roughly how far: every stage weighs as much as it usually takes."""
    if run.state == JobState.REQUESTED or not found:
        return 2
    other = median(usual.values()) if usual else 1.0
    weights = [usual.get(line.row.name, other) for line in found]
    done = sum(weight * (line.share or 0.0) for weight, line in zip(weights, found, strict=True))
    return min(98, round(100 * done / (sum(weights) or 1.0)))


def seconds_left(found: list[Line]) -> float | None:
    """Until the whole run is done; None while a stage has never been timed."""
    lefts = [line.left for line in found]
    return None if not lefts or None in lefts else sum(one for one in lefts if one)


def words(run: JobRun, found: list[Line]) -> str:
    """One line on where an open run is."""
    if run.state == JobState.REQUESTED:
        return _("Waiting for a worker to take it …")
    line = at_work(found)
    if line is None:
        return _("Starting") + " …"
    if line.row.total and line.row.done:
        return _("%(stage)s: %(done)s of %(total)s") % {
            "stage": line.name,
            "done": number(line.row.done),
            "total": number(line.row.total),
        }
    return f"{line.name} …"


def said(run: JobRun, found: list[Line]) -> str:
    """What is read aloud: it changes with the stage, not with every row."""
    line = at_work(found)
    if line is None:
        return words(run, found)
    place = found.index(line) + 1
    return _("Stage %(place)s of %(all)s: %(stage)s") % {
        "place": place,
        "all": len(found),
        "stage": line.name,
    }


def as_json(run: JobRun, now: datetime, usual: Mapping[str, float]) -> dict[str, Any]:
    """What the page asks for while a run is at work."""
    found = lines(run, now, usual)
    remaining = seconds_left(found)
    return {
        "state": run.state,
        "finished": run.finished_at is not None,
        "words": words(run, found),
        "said": said(run, found),
        "left": "" if remaining is None else left(remaining),
        "percent": percent(run, found, usual),
        "stages": [
            {
                "name": line.row.name,
                "state": line.row.state,
                "state_words": line.row.get_state_display(),
                "icon": line.icon,
                "percent": line.percent,
                "figures": line.figures,
                "who": line.who,
            }
            for line in found
        ],
    }


# -- words -----------------------------------------------------------------------------------------------------


def took(seconds: float | None) -> str:
    """``12.3 s`` or ``4 min 5 s``."""
    if seconds is None:
        return ""
    if seconds < 100:
        return _("%(n)s s") % {"n": number(seconds, 1)}
    minutes, rest = divmod(round(seconds), 60)
    return _("%(minutes)s min %(seconds)s s") % {"minutes": number(minutes), "seconds": rest}


def left(seconds: float) -> str:
    """Rounded as one would say it."""
    if seconds < 1:
        return _("nearly done")
    if seconds < 90:
        return _("about %(n)s s left") % {"n": number(round(seconds))}
    return _("about %(n)s min left") % {"n": number(round(seconds / 60))}
