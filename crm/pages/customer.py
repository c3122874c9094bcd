"""One customer on one page: worth, rhythm, everything that happened, and the quick log."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from campaigns.models import Coupon
from crm.common import sql
from crm.common.orm import Prepared
from crm.pages.customer_value import worth
from crm.pages.paging import link
from crm.pages.shell import StaffRequest, action, attempt, form_page, page, refusals, render
from crm.templatetags.crm import day, is_far, money
from customers import reports as customer_reports
from customers.choices import Direction, FollowUpStatus, InteractionKind, Outcome, Purpose
from customers.core import timeline
from customers.models import (
    Consent,
    Customer,
    FollowUp,
    FormerRecord,
    Purchase,
    Segment,
    SegmentMembership,
)
from customers.services import consent as consents
from customers.services import contact, segments
from feedback.models import Response
from ltv import reports

PURCHASES = 100
EVENTS = 30
RHYTHM_DAYS = 730
KINDS = {
    "purchase": gettext_lazy("Purchases"),
    "refund": gettext_lazy("Refunds"),
    "interaction": gettext_lazy("Contacts"),
    "mail": gettext_lazy("Mails"),
    "survey": gettext_lazy("Answers"),
    "segment": gettext_lazy("Segments"),
    "consent": gettext_lazy("Consents"),
    "coupon": gettext_lazy("Coupons"),
}


class LogForm(forms.Form):
    """The quick log: what was said, and what was promised."""

    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=InteractionKind)
    direction = forms.ChoiceField(
        label=gettext_lazy("Direction"), choices=Direction, initial=Direction.OUTBOUND
    )
    outcome = forms.ChoiceField(label=gettext_lazy("Outcome"), choices=Outcome)
    note = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 3, "data-quick-focus": ""}),
    )
    next_step = forms.CharField(label=gettext_lazy("Next step"), max_length=240, required=False)
    next_step_due = forms.DateField(
        label=gettext_lazy("Due"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )


@dataclass(frozen=True)
class Dot:
    """A purchase on the rhythm line: where (share of the line), how large, and what it says."""

    left: float
    size: int
    words: str


@dataclass(frozen=True)
class Rhythm:
    dots: tuple[Dot, ...]
    today: float
    expected: float | None
    start: date
    end: date


# What the page asks, by the customer's id.
_person = Prepared(lambda pk: Customer.objects.filter(pk=pk).select_related("channel", "referred_by"), int)
_newest_purchases = Prepared(
    lambda who: Purchase.objects.filter(customer=who).order_by("-purchased_at", "-pk")[: PURCHASES + 1], int
)
_consents = Prepared(lambda who: Consent.objects.filter(customer=who, superseded_at=None), int)
_steps = Prepared(
    lambda who: (
        FollowUp.objects.open()
        .filter(customer=who)
        .select_related("assigned_to")
        .order_by("due_on", "pk")[:20]
    ),
    int,
)
_stays = Prepared(
    lambda who: (
        SegmentMembership.objects.filter(customer=who, left_at=None)
        .select_related("segment")
        .order_by("segment__name")[:50]
    ),
    int,
)
_coupons = Prepared(
    lambda who: (
        Coupon.objects.filter(customer=who).select_related("offer").order_by("-expires_at", "-pk")[:10]
    ),
    int,
)
_answers = Prepared(
    lambda who: Response.objects.filter(customer=who).select_related("survey").order_by("-submitted_at")[:3],
    int,
)


@page("customers.view_customer")
def customer(request: StaffRequest, pk: int) -> HttpResponse:
    return _show(request, pk)


@sql.one_moment()
def _show(request: StaffRequest, pk: int, form: LogForm | None = None, status: int = 200) -> HttpResponse:
    person = _person.first(pk)
    if person is None:
        return _of_former(pk)
    shop, now = request.shop, timezone.now()
    today = shop.business_date(now)
    context: dict[str, Any] = {"person": person, "shop": shop, "today": today, "form": form, "now": now}
    context["log_fields"] = _fields(form) if form else _blank_fields(get_language() or "en")
    if request.user.has_perm("ltv.view_customerltv"):
        context |= worth(person, today)
    context |= _purchases(request, person, context.get("card"), today)
    context |= _events(request, person)
    context |= _around(request, person)
    return render(request, "crm/customer.html", title=person.name, status=status, **context)


def _of_former(pk: int) -> HttpResponse:
    """To the customer whom the record was merged into; 404 for a number nobody ever had."""
    former = FormerRecord.objects.filter(former_id=pk).first()
    if former is None:
        raise Http404
    return redirect("crm:customer", former.customer_id)


def _fields(form: LogForm) -> SafeString:
    return render_to_string("crm/customer/log_fields.html", {"form": form})


@cache
def _blank_fields(language: str) -> SafeString:
    """The empty log is the same for everybody who reads ``language``, the active one: drawn once, not once a page."""
    return _fields(LogForm())


def _purchases(
    request: StaffRequest, person: Customer, card: reports.ValueCard | None, today: date
) -> dict[str, Any]:
    if not request.user.has_perm("customers.view_purchase"):
        return {}
    newest = _newest_purchases(person.pk)
    expected = card.figures.next_purchase_on if card else None
    if card and is_far(expected, card.run.as_of):
        expected = None
    shown = newest[:PURCHASES]
    return {
        "purchases": shown,
        "more_purchases": len(newest) > PURCHASES,
        "rhythm": _rhythm(shown, today, expected),
    }


def _rhythm(purchases: list[Purchase], today: date, expected: date | None) -> Rhythm | None:
    """The purchases of the last two years on a line, with today and the next one expected."""
    since = today - timedelta(days=RHYTHM_DAYS)
    recent = [one for one in purchases if since <= one.purchased_on <= today]
    if not recent:
        return None
    start = min(one.purchased_on for one in recent)
    end = max(today, expected or today) + timedelta(days=7)
    length = (end - start).days
    largest = max((one.base_amount or Decimal(0)) for one in recent) or Decimal(1)
    dots = tuple(
        Dot(
            left=(one.purchased_on - start).days / length,
            size=7 + round(9 * float((one.base_amount or 0) / largest)),
            words=f"{day(one.purchased_on)} · {money(one.amount, one.currency)}",
        )
        for one in reversed(recent)
    )
    ahead = (expected - start).days / length if expected and expected >= start else None
    return Rhythm(dots, (today - start).days / length, ahead, start, end)


def _events(request: StaffRequest, person: Customer) -> dict[str, Any]:
    kind = request.GET.get("kind", "")
    kinds = [kind] if kind in KINDS else timeline.KINDS
    before = _instant(request.GET.get("before", ""))
    found = customer_reports.story(person.pk, before=before, limit=EVENTS + 1, kinds=kinds)
    # what happened at one instant stays on one page: the next starts strictly before it
    shown = [event for event in found if event.at >= found[EVENTS - 1].at] if len(found) > EVENTS else found
    return {
        "events": shown,
        "kinds": [(key, label, link(request, kind=key, before=None)) for key, label in KINDS.items()],
        "every_kind": link(request, kind=None, before=None),
        "kind": kind if kind in KINDS else "",
        "older": link(request, before=shown[-1].at.isoformat()) if len(found) > len(shown) else "",
        "newest": link(request, before=None) if before else "",
    }


def _instant(text: str) -> datetime | None:
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    return found if found and found.tzinfo else None


def _around(request: StaffRequest, person: Customer) -> dict[str, Any]:
    """Consents, follow-ups, segments, coupons and answers: what stands beside the timeline."""
    user = request.user
    context: dict[str, Any] = {}
    if user.has_perm("customers.view_consent"):
        current = {one.purpose: one for one in _consents(person.pk)}
        context["consents"] = [(purpose, label, current.get(purpose)) for purpose, label in Purpose.choices]
    if user.has_perm("customers.view_followup"):
        context["follow_ups"] = _steps(person.pk)
    if user.has_perm("customers.view_segment"):
        context["stays"] = _stays(person.pk)
    if user.has_perm("campaigns.view_coupon"):
        context["coupons"] = _coupons(person.pk)
    if user.has_perm("feedback.view_response"):
        context["answers"] = _answers(person.pk)
    return context


@form_page("customers.view_customer", "customers.add_interaction")
def log(request: StaffRequest, pk: int) -> HttpResponse:
    """Save the quick log; with an error the page comes back with what was typed."""
    if request.method != "POST":
        return redirect("crm:customer", pk)
    form = LogForm(request.POST)
    person = get_object_or_404(Customer, pk=pk)
    if not form.is_valid():
        return _show(request, pk, form, status=422)
    now = timezone.now()
    saved = attempt(
        form,
        lambda: contact.log_interaction(
            customer=person, staff=request.user, occurred_at=now, at=now, **form.cleaned_data
        ),
    )
    if saved is None:
        return _show(request, pk, form, status=422)
    messages.success(request, _("Saved."))
    return redirect("crm:customer", pk)


@action("customers.add_consent")
def state_consent(request: StaffRequest, pk: int, purpose: str) -> HttpResponse:
    """Record what the customer said about being contacted: a new statement, never an edit."""
    person = get_object_or_404(Customer, pk=pk)
    now, source = timezone.now(), request.POST.get("source", "").strip()
    said: dict[str, Any] = {"customer": person, "purpose": purpose, "source": source}
    said |= {"at": now, "by": request.user}
    with refusals(request):
        if "grant" in request.POST:
            wording = request.POST.get("wording", "").strip()
            consents.grant(**said, wording=wording, stated_at=now)
            messages.success(request, _("Consent recorded."))
        else:
            consents.withdraw(**said)
            messages.success(request, _("Withdrawal recorded. Mail that was waiting will not be sent."))
    return redirect("crm:customer", pk)


@action("customers.change_followup")
def close_step(request: StaffRequest, pk: int, step: int) -> HttpResponse:
    follow_up = get_object_or_404(FollowUp, pk=step, customer_id=pk)
    status = FollowUpStatus.CANCELLED if "cancel" in request.POST else FollowUpStatus.DONE
    with refusals(request):
        contact.close_follow_up(follow_up=follow_up, status=status, at=timezone.now())
        messages.success(request, _("Follow-up closed: %(text)s") % {"text": follow_up.text})
    return redirect("crm:customer", pk)


@page("customers.view_customer", "customers.view_segment")
@sql.one_moment()
def why(request: StaffRequest, pk: int, segment: int) -> HttpResponse:
    """Each condition of a segment's rule against this customer."""
    person, rule = get_object_or_404(Customer, pk=pk), get_object_or_404(Segment, pk=segment)
    today = request.shop.business_date(timezone.now())
    stay = SegmentMembership.objects.filter(customer=person, segment=rule, left_at=None).first()
    found: list[Any] = []
    with refusals(request):
        found = segments.why(person.pk, rule, today)
    return render(
        request,
        "crm/why.html",
        title=_("In the segment, or why not"),
        person=person,
        stay=stay,
        segment=rule,
        conditions=found,
    )
