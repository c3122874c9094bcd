"""The runs of the night: what each stage took, what failed and why, and asking for another one."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.common.choices import JobState, StageState
from crm.common.models import JobRun, JobStage
from crm.pages.paging import by_key
from crm.pages.shell import StaffRequest, action, back, page, refusals, render
from ltv.services import night

STAGES = {
    "summaries": gettext_lazy("Purchase summaries"),
    "predictions": gettext_lazy("Predictions"),
    "figures": gettext_lazy("Figures of every customer"),
    "checks": gettext_lazy("Checks"),
    "publish": gettext_lazy("Publishing, segments, campaigns"),
    "tidy": gettext_lazy("Tidying up"),
}


@dataclass(frozen=True)
class Stage:
    name: str
    seconds: float
    rows: int
    share: float
    colour: str


@dataclass(frozen=True)
class Night:
    """A run as staff read it."""

    run: JobRun
    stages: tuple[Stage, ...]
    seconds: float | None
    reason: str

    @property
    def is_open(self) -> bool:
        return self.run.state in (JobState.REQUESTED, JobState.RUNNING)

    @property
    def words(self) -> str:
        return progress_words(self.run)

    @property
    def percent(self) -> int:
        return progress_percent(self.run)


def night_of(run: JobRun) -> Night:
    """Stages with their share of the time, and the last line of what went wrong."""
    took = [(stage, _seconds(stage.started_at, stage.finished_at)) for stage in run.stages.all()]
    total = sum(seconds or 0 for _stage, seconds in took) or 1
    stages = tuple(
        Stage(
            name=str(STAGES.get(stage.name, stage.name)),
            seconds=seconds,
            rows=stage.done,
            share=seconds / total,
            colour=f"mc-c{stage.place % 6 + 1}",
        )
        for stage, seconds in took
        if seconds is not None
    )
    lines = [line for line in run.error.strip().splitlines() if line.strip()]
    return Night(run, stages, _seconds(run.started_at, run.finished_at), lines[-1] if lines else "")


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    return (end - start).total_seconds() if start and end else None


def _runs() -> QuerySet[JobRun]:
    return JobRun.objects.filter(job=night.JOB).select_related("requested_by").prefetch_related("stages")


def last_night() -> Night | None:
    """The last run of the newest business date: what staff asked for comes after the night itself."""
    runs = _runs()
    run = runs.order_by("-business_date", "-occurrence").first()
    return night_of(run) if run else None


def progress_words(run: JobRun) -> str:
    """One line on where an open run is."""
    if run.state == JobState.REQUESTED:
        return _("Waiting for a worker to take it …")
    stage = _at_work(run)
    if stage is None:
        return f"{_('Starting')} …"
    name = STAGES.get(stage.name, stage.name)
    if stage.total and stage.done:
        return _("%(stage)s: %(done)s of %(total)s") % {
            "stage": name,
            "done": stage.done,
            "total": stage.total,
        }
    return f"{name} …"


def _at_work(run: JobRun) -> JobStage | None:
    return next((stage for stage in run.stages.all() if stage.state == StageState.RUNNING), None)


def progress_percent(run: JobRun) -> int:
    """Roughly how far: whole stages done, and the part of the one at work."""
    if run.state == JobState.REQUESTED:
        return 2
    stages, stage = run.stages.all(), _at_work(run)
    ended = sum(stage.state == StageState.DONE for stage in stages)
    part = min(1.0, stage.done / stage.total) if stage and stage.total else 0.0
    return min(98, round(100 * (ended + part) / max(len(stages), 1)))


@page("common.view_jobrun")
def nights(request: StaffRequest) -> HttpResponse:
    pages = by_key(request, _runs(), size=30)
    return render(
        request,
        "crm/nights.html",
        title=_("Runs of the night"),
        nights=[night_of(run) for run in pages.rows],
        pages=pages,
        legend=[(f"mc-c{place % 6 + 1}", words) for place, words in enumerate(STAGES.values())],
    )


@page("common.view_jobrun")
def progress(request: StaffRequest, pk: int) -> JsonResponse:
    """What the page asks for while a run is at work."""
    run = get_object_or_404(_runs(), pk=pk)
    return JsonResponse(
        {
            "state": run.state,
            "finished": run.finished_at is not None,
            "words": progress_words(run),
            "percent": progress_percent(run),
        }
    )


@action("common.add_jobrun")
def recalculate(request: StaffRequest) -> HttpResponse:
    with refusals(request):
        night.request_recalculation(by=request.user, now=timezone.now())
        messages.success(request, _("A recalculation was asked for. Its progress is shown here."))
    return back(request, "crm:nights")
