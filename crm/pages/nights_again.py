"""A past night worked out again: asking for it, and what came of it in words, with the customers it is about."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.common.choices import JobState
from crm.common.models import JobRun
from crm.pages.nights_live import runs_of_the_night
from crm.pages.nights_today import last_words
from crm.pages.shell import StaffRequest, action, back, page, refusals
from crm.templatetags.crm import number
from customers.models import Customer
from ltv.choices import Cause, RunState
from ltv.models import LtvRun, Reproduction
from ltv.services import publishing, reproducing

ICONS = {
    Cause.PURCHASES: "shopping_bag",
    Cause.REFUNDS: "undo",
    Cause.RATES: "currency_exchange",
    Cause.FACTS: "edit",
    Cause.MERGED: "merge",
    Cause.SHARED: "groups",
    Cause.ERASED: "person_off",
    Cause.UNKNOWN: "error",
}


@dataclass(frozen=True)
class Named:
    """A customer found; without a name where the record is gone, or is not this reader's to see."""

    pk: int
    name: str


@dataclass(frozen=True)
class Why:
    """A cause, how much of it there is, and the first customers."""

    icon: str
    words: str
    bad: bool
    counts: str
    named: list[Named]
    more: int


@dataclass(frozen=True)
class Again:
    """What is known of the last check of a published run."""

    kept: bool  # whether there is a table to compare with
    later: LtvRun | None  # of the same date, where it is kept instead
    asked: Reproduction | None
    css: str
    icon: str
    words: str
    whys: list[Why]
    reason: str  # why it failed

    @property
    def is_open(self) -> bool:
        return self.asked is not None and self.asked.job.is_open


def of_night(job: JobRun, *, names: bool) -> Again | None:
    """None where the night published nothing. With ``names`` customers are called by theirs."""
    run = job.valuations.filter(state=RunState.PUBLISHED).first()
    if run is None:
        return None
    asked = Reproduction.objects.filter(run=run).select_related("job").first()
    done = asked if asked and asked.checked_at else None
    css, icon, words = _verdict(done) if done else ("", "", "")
    kept = publishing.has_table(run)
    return Again(
        kept=kept,
        later=None if kept else _later(run),
        asked=asked,
        css=css,
        icon=icon,
        words=words,
        whys=_whys(done, names=names) if done else [],
        reason=last_words(asked.job.error) if asked else "",
    )


def _later(run: LtvRun) -> LtvRun | None:
    """The last run of the same date: of several, only that one is kept."""
    same = LtvRun.objects.filter(state=RunState.PUBLISHED, as_of=run.as_of, pk__gt=run.pk)
    return same.order_by("-pk").first()


def _verdict(done: Reproduction) -> tuple[str, str, str]:
    """The note's look and its words."""
    counts = {"all": number(done.customers), "n": number(done.differing)}
    if not done.differing:
        same = ngettext(
            "Reproduced: %(all)s customer, every figure equal.",
            "Reproduced: %(all)s customers, every figure equal.",
            done.customers,
        )
        return "mc-note--good", "check_circle", same % counts
    unknown = sum(one["customers"] for one in done.findings if one["cause"] == Cause.UNKNOWN)
    if unknown:
        words = _(
            "%(n)s of %(all)s customers come out otherwise, %(unknown)s of them for no reason that is known."
        )
        return "mc-note--bad", "error", words % (counts | {"unknown": number(unknown)})
    words = _(
        "%(n)s of %(all)s customers come out otherwise, all of them because an input was corrected since."
    )
    return "mc-note--warm", "info", words % counts


def _whys(done: Reproduction, *, names: bool) -> list[Why]:
    found: list[dict[str, Any]] = done.findings
    ids = {pk for one in found for pk in one["first"]} if names else set()
    known = dict(Customer.objects.filter(pk__in=ids).values_list("pk", "name")) if ids else {}
    return [
        Why(
            icon=ICONS[Cause(one["cause"])],
            words=str(Cause(one["cause"]).label),
            bad=one["cause"] == Cause.UNKNOWN,
            counts=_counts(one),
            named=[Named(pk, known.get(pk, "")) for pk in one["first"]],
            more=one["customers"] - reproducing.FIRST if len(one["first"]) == reproducing.FIRST else 0,
        )
        for one in found
    ]


def _counts(one: dict[str, Any]) -> str:
    """``2 customers · 3 corrected inputs``."""
    counts = [
        ngettext("%(n)s customer", "%(n)s customers", one["customers"]) % {"n": number(one["customers"])}
    ]
    if one["inputs"]:
        counts.append(
            ngettext("%(n)s corrected input", "%(n)s corrected inputs", one["inputs"])
            % {"n": number(one["inputs"])}
        )
    return " · ".join(counts)


@action("common.add_jobrun")
def check_again(request: StaffRequest, pk: int) -> HttpResponse:
    """Have a worker work the night out again and compare."""
    job = get_object_or_404(runs_of_the_night(), pk=pk)
    run = get_object_or_404(LtvRun, job=job, state=RunState.PUBLISHED)
    to = reverse("crm:night", args=[pk])
    with refusals(request):
        reproducing.request_check(run=run, by=request.user, now=timezone.now())
        messages.success(request, _("This night is being worked out again. What comes of it is shown here."))
        to += "#again"  # at the page's foot; a refusal is said at its top
    return back(request, to)


@page("common.view_jobrun")
def progress(request: StaffRequest, pk: int) -> JsonResponse:
    """What the page asks for while a check is at work."""
    run = get_object_or_404(JobRun.objects.prefetch_related("stages"), pk=pk, job=reproducing.JOB)
    waiting = run.state == JobState.REQUESTED
    done = sum(stage.finished_at is not None for stage in run.stages.all())
    words = _("Waiting for a worker to take it …") if waiting else _("The night is being worked out again …")
    percent = 5 if waiting else round(100 * (done + 0.5) / (len(reproducing.STAGES) + 0.5))
    return JsonResponse(
        {"finished": run.finished_at is not None, "words": words, "percent": min(percent, 98)}
    )
