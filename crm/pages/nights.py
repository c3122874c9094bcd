"""The runs of the night: a calendar, each run's stages live and afterwards, and asking for another one."""

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.common import jobs
from crm.common.choices import OPEN_JOBS, JobState
from crm.common.models import JobRun
from crm.pages import nights_again, nights_calendar, nights_live, nights_run, nights_today
from crm.pages.nights_live import STAGES, runs_of_the_night, with_stages
from crm.pages.paging import by_key
from crm.pages.shell import StaffRequest, action, back, page, refusals, render
from crm.templatetags.crm import day
from ltv.services import night


@page("common.view_jobrun")
def nights(request: StaffRequest) -> HttpResponse:
    now, usual = timezone.now(), nights_live.usual_seconds()
    pages = by_key(request, with_stages(runs_of_the_night()), size=30)
    still_open = runs_of_the_night().filter(state__in=OPEN_JOBS).order_by("business_date", "occurrence")
    at_work = with_stages(still_open).first()  # as the workers take them
    return render(
        request,
        "crm/nights.html",
        title=_("Runs of the night"),
        at_work=nights_today.night_of(at_work, now, usual) if at_work else None,
        nights=[nights_today.night_of(run, now, usual) for run in pages.rows],
        pages=pages,
        calendar=nights_calendar.month_of_nights(request.shop, request.GET.get("month", ""), now),
        legend=[(f"mc-c{place % 6 + 1}", words) for place, words in enumerate(STAGES.values())],
    )


@page("common.view_jobrun")
def one_night(request: StaffRequest, pk: int) -> HttpResponse:
    now, run = timezone.now(), get_object_or_404(with_stages(runs_of_the_night()), pk=pk)
    shown = nights_today.night_of(run, now, nights_live.usual_seconds())
    bands, nights_before = nights_run.bands(
        run, shown.lines, with_money=request.user.has_perm("ltv.view_customerltv")
    )
    return render(
        request,
        "crm/night.html",
        title=_("Night of %(day)s") % {"day": day(run.business_date)},
        night=shown,
        gantt=nights_run.gantt(run, shown.lines, now),
        bands=bands,
        nights_before=nights_before,
        fewest=nights_run.FEWEST,
        again=nights_again.of_night(run, names=request.user.has_perm("customers.view_customer")),
        may_retry=request.user.has_perm("common.add_jobrun") and _is_newest_failed(run),
    )


def _is_newest_failed(run: JobRun) -> bool:
    return run.state == JobState.FAILED and not jobs.later(run).filter(state=JobState.DONE).exists()


@page("common.view_jobrun")
def progress(request: StaffRequest, pk: int) -> JsonResponse:
    """What the page asks for while a run is at work."""
    run = get_object_or_404(with_stages(runs_of_the_night()), pk=pk)
    return JsonResponse(nights_live.as_json(run, timezone.now(), nights_live.usual_seconds()))


@action("common.add_jobrun")
def recalculate(request: StaffRequest) -> HttpResponse:
    with refusals(request):
        night.request_recalculation(by=request.user, now=timezone.now())
        messages.success(request, _("A recalculation was asked for. Its progress is shown here."))
    return back(request, "crm:nights")


@action("common.add_jobrun")
def retry(request: StaffRequest, pk: int) -> HttpResponse:
    """Let a failed run go on: from the stage asked for, else from the first one not done."""
    run = get_object_or_404(runs_of_the_night(), pk=pk)
    with refusals(request):
        night.retry(
            job=run, from_stage=request.POST.get("stage") or None, by=request.user, now=timezone.now()
        )
        messages.success(request, _("The run goes on. Its progress is shown here."))
    return back(request, "crm:night", pk)
