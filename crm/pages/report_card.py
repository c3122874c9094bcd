"""The report card: how well the forecast did on the shop's own past, and whether it may drive offers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns.reports import asks_forecasts
from crm.common.choices import JobState
from crm.common.models import JobRun, Shop
from crm.pages.shell import StaffRequest, action, back, page, refusals, render
from crm.templatetags.crm import day
from customers.models import Segment
from ltv import reports
from ltv.choices import Light
from ltv.core import verdict
from ltv.models import ReportCard
from ltv.services import backtesting

WEEKS = 26
ALL_DAYS = "_all_days"
MODELS = {"bgnbd": "BG/NBD", "mbgnbd": "MBG/NBD", "paretonbd": "Pareto/NBD"}
CHIPS = {Light.GREEN: "mc-chip--good", Light.AMBER: "mc-chip--warm", Light.RED: "mc-chip--bad"}
NOTES = {Light.GREEN: "mc-note--good", Light.AMBER: "mc-note--warm", Light.RED: "mc-note--bad"}
ICONS = {Light.GREEN: "check_circle", Light.AMBER: "error", Light.RED: "cancel"}


@dataclass(frozen=True)
class Said:
    """A finding in the reader's language."""

    light: str
    icon: str
    text: str


@dataclass(frozen=True)
class Doubt:
    """What staff should know before they rely on a segment that stands on forecasts."""

    css: str
    icon: str
    title: str
    text: str


@dataclass(frozen=True)
class Row:
    """One check: what was forecast on its day, and what came; ``off`` is predicted over actual - 1."""

    origin: date
    until: date
    found: Mapping[str, Any]
    purchases_off: float | None
    spend_off: float | None


# -- in words --------------------------------------------------------------------------------------------------


def sentence(finding: Mapping[str, Any]) -> str:
    """The finding's sentence with its values; a code of another version is shown as it is."""
    text = verdict.SENTENCES.get(finding["code"])
    if text is None:
        return str(finding["code"])
    values = dict(finding["values"])
    if "rule" in values:
        values["rule"] = forecast_name(values["rule"])
    return _(text).format(**values)


def forecast_name(name: str) -> str:
    """A model by its name in the literature, a rule of thumb by what it assumes."""
    if name in verdict.RULES:
        return _(verdict.RULES[name])
    plain = name.removesuffix(ALL_DAYS)
    title = MODELS.get(plain, plain)
    return title if plain == name else _("%(model)s, first purchases counted") % {"model": title}


def findings(card: ReportCard) -> list[Said]:
    return [Said(one["light"], ICONS[Light(one["light"])], sentence(one)) for one in card.findings]


def doubt(segment: Segment) -> Doubt | None:
    """What the newest check says against the segment's rule; None where it asks for facts only, or all is well."""
    return doubt_of(reports.predictions_may_drive_offers()) if asks_forecasts(segment) else None


def doubt_of(trust: reports.Trust) -> Doubt | None:
    card = trust.card
    if card is None:
        title = _("The forecast this segment stands on has not been checked yet.")
        return Doubt(
            "", "hourglass_empty", title, _("The first check comes within an hour of the first night.")
        )
    if card.light == Light.GREEN:
        return None
    first = sentence(card.findings[0]) if card.findings else ""
    if card.light == Light.AMBER:
        return Doubt(
            "mc-note--warm", "error", _("This segment stands on a forecast to use with care."), first
        )
    if trust.allowed:
        title = _("This segment stands on a forecast that did not hold; it was allowed in spite of it.")
        return Doubt("mc-note--warm", "error", title, f"{first} {card.allowed_reason}")
    title = _("This segment stands on a forecast that did not hold.")
    waits = _("Automatic campaigns to it take nobody in until a check is better; those who enter wait.")
    return Doubt("mc-note--bad", "front_hand", title, f"{first} {waits}")


# -- the page --------------------------------------------------------------------------------------------------


@page("ltv.view_reportcard")
def report_card(request: StaffRequest) -> HttpResponse:
    trust = reports.predictions_may_drive_offers()
    card = trust.card
    run = JobRun.objects.filter(job=backtesting.JOB).order_by("-requested_at").first()
    lines = [line for line in (run.error if run else "").strip().splitlines() if line.strip()]
    context: dict[str, Any] = {"card": card, "trust": trust, "run": run, "reason": lines[-1] if lines else ""}
    context["is_open"] = run is not None and run.is_open
    if card is None:
        context["without"] = _without_card(run, request.shop)
    else:
        context |= {
            "said": findings(card),
            "note": NOTES[Light(card.light)],
            "icon": ICONS[Light(card.light)],
            "model": forecast_name(card.model),
            "champion": forecast_name(card.champion) if card.champion else "",
            "rows": [_row(card, one) for one in card.scores["checks"]],
            "forecasts": _forecasts(card),
            "spend": _chart(card.scores["spend"], {"currency": card.currency}),
            "silence": _chart(card.scores["silence"], {"percent": True}),
            "history": _history(),
        }
    return render(request, "crm/report_card.html", title=_("Report card"), **context)


def _without_card(run: JobRun | None, shop: Shop) -> dict[str, str]:
    """What is said where there is no card: being made, or when it comes. Beat rings for it every hour."""
    until = _("Until then predictions are used unchecked.")
    if run is not None and run.is_open:
        soon = _("It appears here when the check is done.")
        return {"title": _("The first card is being made"), "text": f"{soon} {until}"}
    if reports.current_run() is None:
        coming = _("The first check comes within an hour of the first night.")
    elif run is None or run.business_date < backtesting.week_of(shop.business_date(timezone.now())):
        coming = _("The first check comes within the hour, or at once when somebody asks for it.")
    else:  # this week's was made, and failed
        coming = _("The next check comes by itself next week, or at once when somebody asks for it.")
    return {"title": _("No card yet"), "text": f"{coming} {until}"}


def _row(card: ReportCard, one: Mapping[str, Any]) -> Row:
    origin = date.fromisoformat(one["origin"])
    return Row(
        origin=origin + timedelta(days=1),
        until=origin + timedelta(days=card.horizon_days),
        found=one,
        purchases_off=_off(one["purchases"]),
        spend_off=_off(one["spend"]),
    )


def _forecasts(card: ReportCard) -> list[dict[str, Any]]:
    """The forecast in use, the best of all tried and every rule of thumb, the best first."""
    told = (card.model, card.champion)
    tried: list[dict[str, Any]] = card.scores["forecasts"]
    return [
        one | {"title": forecast_name(one["name"])} for one in tried if one["baseline"] or one["name"] in told
    ]


def _off(totals: Mapping[str, float]) -> float | None:
    return round(totals["predicted"] / totals["actual"] - 1, 4) + 0.0 if totals["actual"] else None


def _chart(tenths: Mapping[str, list[float]], form: dict[str, Any]) -> dict[str, Any]:
    """Forecast beside what came, by tenths of the customers."""
    return form | {
        "type": "bar",
        "labels": [str(place) for place in range(1, len(tenths["actual"]) + 1)],
        "datasets": [
            {"label": _("Forecast"), "data": tenths["predicted"], "colour": "--mc-6"},
            {"label": _("What came"), "data": tenths["actual"]},
        ],
    }


def _history() -> list[dict[str, Any]]:
    """The lights of the last half year, the oldest first."""
    cards = ReportCard.objects.defer("scores", "findings").order_by("-pk")[:WEEKS]
    return [
        {"light": card.light, "css": CHIPS[Light(card.light)], "icon": ICONS[Light(card.light)],
         "words": f"{day(card.as_of)}: {card.get_light_display()}", "as_of": card.as_of}
        for card in reversed(cards)
    ]  # fmt: skip


@page("ltv.view_reportcard")
def progress(request: StaffRequest, pk: int) -> JsonResponse:
    """What the page asks for while a check is at work."""
    run = get_object_or_404(JobRun, pk=pk, job=backtesting.JOB)
    waiting = run.state == JobState.REQUESTED
    words = _("Waiting for a worker to take it …") if waiting else _("The past is being forecast …")
    return JsonResponse(
        {"finished": run.finished_at is not None, "words": words, "percent": 5 if waiting else 50}
    )


@action("ltv.view_reportcard", "common.add_jobrun")
def check_now(request: StaffRequest) -> HttpResponse:
    with refusals(request):
        backtesting.request_check(by=request.user, now=timezone.now())
        messages.success(request, _("A check was asked for. The new card appears here when it is done."))
    return back(request, "crm:report_card")


@action("ltv.change_reportcard")
def allow(request: StaffRequest, pk: int) -> HttpResponse:
    card = get_object_or_404(ReportCard, pk=pk)
    with refusals(request):
        reason = request.POST.get("reason", "")
        backtesting.allow(card=card, reason=reason, by=request.user, at=timezone.now())
        messages.success(request, _("Allowed until the next check. Who waited is being taken in."))
    return back(request, "crm:report_card")
