"""Campaigns: the list, one campaign from draft to results, and its buttons."""

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import messages
from django.db.models import Count, OuterRef, Subquery
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns import reports
from campaigns.choices import REASON_WORDS, CampaignStatus, MessageStatus
from campaigns.models import Campaign, Enrolment, Message
from campaigns.services import campaigns as services
from campaigns.services import delivery
from crm.common.models import Shop
from crm.pages.paging import by_key
from crm.pages.report_card import doubt
from crm.pages.shell import StaffRequest, action, back, page, refusals, render

# The ledger's codes in words.
COLOURS = {
    MessageStatus.SENT: "mc-c1",
    MessageStatus.PENDING: "mc-c3",
    MessageStatus.CLAIMED: "mc-c3",
    MessageStatus.SENDING: "mc-c3",
    MessageStatus.HELD_OUT: "mc-c5",
    MessageStatus.SUPPRESSED: "mc-c6",
    MessageStatus.FAILED: "mc-c4",
    MessageStatus.UNKNOWN: "mc-c2",
}


@page("campaigns.view_campaign")
def campaigns(request: StaffRequest) -> HttpResponse:
    enrolled = Enrolment.objects.filter(campaign=OuterRef("pk")).order_by().values("campaign")
    messages_of = Message.objects.filter(campaign=OuterRef("pk")).order_by().values("campaign")
    rows = (
        Campaign.objects.select_related("segment", "offer", "survey")
        .annotate(
            audience=Subquery(enrolled.annotate(n=Count("pk")).values("n")),
            sent=Subquery(messages_of.filter(status=MessageStatus.SENT).annotate(n=Count("pk")).values("n")),
        )
        .order_by("-created_at", "-pk")
    )
    return render(
        request,
        "crm/campaigns.html",
        title=_("Campaigns"),
        pages=by_key(request, rows),
        statuses=CampaignStatus,
    )


@page("campaigns.view_campaign")
def campaign(request: StaffRequest, pk: int) -> HttpResponse:
    one = get_object_or_404(
        Campaign.objects.select_related("segment", "offer", "survey", "created_by", "launched_by"), pk=pk
    )
    context: dict[str, Any] = {"campaign": one, "variants": list(one.variants.all())}
    if one.status not in (CampaignStatus.FINISHED, CampaignStatus.STOPPED):
        context["doubt"] = doubt(one.segment)
    context |= _before(one) if one.status == CampaignStatus.DRAFT else _after(request, one)
    return render(request, "crm/campaign.html", title=one.name, **context)


def _before(one: Campaign) -> dict[str, Any]:
    """A draft: who would get it, step by step."""
    waterfall = services.preflight(one)
    total = waterfall.in_segment or 1
    steps = [
        (_("In the segment"), waterfall.in_segment, "mc-c6", ""),
        (_("No address"), -waterfall.no_address, "mc-c4", _("There is nothing to write to.")),
        (_("No consent"), -waterfall.no_consent, "mc-c4", _("Never agreed, or took it back.")),
        (_("Blocked address"), -waterfall.suppressed, "mc-c4", _("Bounced, complained or unsubscribed.")),
        (_("Held out"), -waterfall.held_out, "mc-c5", _("Kept aside to measure what the campaign does.")),
        (_("Will get the mail"), waterfall.will_be_sent, "mc-c1", ""),
    ]
    return {
        "waterfall": waterfall,
        "steps": [(name, count, colour, text, abs(count) / total) for name, count, colour, text in steps],
    }


def _after(request: StaffRequest, one: Campaign) -> dict[str, Any]:
    """A launched campaign: its states, its results, its messages."""
    standing = _standing(request, one)
    states: reports.States = standing["states"]
    results = reports.results(one, at=timezone.now(), currency=Shop.current().base_currency)
    status = standing["shown_state"]
    rows = Message.objects.filter(campaign=one).select_related("customer", "variant")
    if status:
        rows = rows.filter(status=status)
    return standing | {
        "words": {reason: in_words(reason) for _status, reason in states.reasons},
        "results": results,
        "in_neither_arm": states.total - results.treated.people - results.control.people,
        "pages": by_key(request, rows, size=30),
    }


def _standing(request: StaffRequest, one: Campaign) -> dict[str, Any]:
    """Where the messages stand, what the page asks for again and again while mails leave."""
    states = reports.states(one)
    status = request.GET.get("status", "")
    reasons = sorted(states.reasons.items(), key=lambda item: -item[1])
    return {
        "campaign": one,
        "states": states,
        "bar": _bar(states.by_status),
        "reasons": [(state, in_words(reason), count) for (state, reason), count in reasons],
        "labels": dict(MessageStatus.choices),
        "leaving": bool(states.unfinished) and one.status == CampaignStatus.RUNNING,
        "shown_state": status if status in MessageStatus.values else "",
    }


@page("campaigns.view_campaign")
def campaign_states(request: StaffRequest, pk: int) -> HttpResponse:
    """The part of the campaign's page that changes while mails leave."""
    one = get_object_or_404(Campaign, pk=pk)
    return TemplateResponse(request, "crm/campaign/states.html", _standing(request, one))


def in_words(reason: str) -> str:
    """A code of the ledger for people."""
    return str(REASON_WORDS.get(reason, reason))


def _bar(by_status: Mapping[str, int]) -> list[dict[str, Any]]:
    """Each state with its share; the counts add up to the audience."""
    total = sum(by_status.values()) or 1
    return [
        {"status": status, "label": status.label, "count": by_status[status], "share": by_status[status] / total,
         "colour": COLOURS[status]}
        for status in MessageStatus
    ]  # fmt: skip


# -- buttons -------------------------------------------------------------------------------------------------


def _press(
    request: StaffRequest, pk: int, service: Callable[..., object], said: str, **given: Any
) -> HttpResponse:
    """Do to a campaign what its button says, tell so or why not, and show the campaign."""
    one = get_object_or_404(Campaign, pk=pk)
    with refusals(request):
        service(campaign=one, **given)
        messages.success(request, said)
    return redirect("crm:campaign", pk)


@action("campaigns.change_campaign")
def launch(request: StaffRequest, pk: int) -> HttpResponse:
    said = _("Launched. Mails leave as the mail server takes them.")
    return _press(request, pk, services.launch, said, by=request.user, at=timezone.now())


@action("campaigns.change_campaign")
def pause(request: StaffRequest, pk: int) -> HttpResponse:
    said, reason = _("Paused. Nothing more leaves until you resume."), _("Paused by %(who)s")
    return _press(request, pk, services.pause, said, reason=reason % {"who": request.user})


@action("campaigns.change_campaign")
def resume(request: StaffRequest, pk: int) -> HttpResponse:
    return _press(request, pk, services.resume, _("Running again."), at=timezone.now())


@action("campaigns.change_campaign")
def stop(request: StaffRequest, pk: int) -> HttpResponse:
    said = _("Stopped for good. What was waiting is not sent.")
    return _press(request, pk, services.stop, said, at=timezone.now())


@action("campaigns.change_campaign")
def send_test(request: StaffRequest, pk: int) -> HttpResponse:
    to, language = request.POST.get("to", ""), request.POST.get("language", "en")
    said = _("A test mail was sent to %(to)s.") % {"to": to}
    return _press(request, pk, services.send_test, said, to=to, language=language, at=timezone.now())


@action("campaigns.change_message")
def resend(request: StaffRequest, pk: int) -> HttpResponse:
    """A person decides about a message whose fate nobody knows."""
    message = get_object_or_404(Message, pk=pk)
    with refusals(request):
        delivery.resend(message=message, by=request.user, at=timezone.now())
        messages.success(request, _("It will be sent again with the same coupon."))
    return back(request, "crm:campaign", message.campaign_id)
