"""What is done to a customer's record as a whole: merging two of one person, erasing the person."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns.models import Coupon, Message
from crm.pages.shell import StaffRequest, action, form_page, refusals, render
from crm.templatetags.crm import day, number
from customers.choices import Purpose
from customers.models import Consent, Customer, FollowUp, Interaction, Purchase
from customers.services import erasure, merging
from feedback.models import Response

FOUND = 10


@dataclass(frozen=True)
class Line:
    """One thing known of both records, as the page compares them."""

    label: str
    kept: str
    other: str


@form_page("customers.merge_customer")
def merge(request: StaffRequest, pk: int) -> HttpResponse:
    """Find the other record of a person, see what moves, and make the two one."""
    keep = get_object_or_404(Customer, pk=pk, erased_at=None)
    other = _other(keep, request.POST.get("other") or request.GET.get("other", ""))
    if request.method == "POST" and other is not None:
        with refusals(request):
            merging.merge_customers(keep=keep, other=other, by=request.user, at=timezone.now())
            messages.success(request, _("The two records are one now."))
            return redirect("crm:customer", pk)
    asked = request.GET.get("q", keep.name)  # a record twice has mostly one name
    text = "".join(letter for letter in asked if letter.isprintable()).strip()[:100]
    found = _found(keep, text) if text and other is None else []
    return render(
        request,
        "crm/customer_merge.html",
        title=_("Merge two records"),
        person=keep,
        other=other,
        text=text,
        found=found[:FOUND],
        more=len(found) > FOUND,
        lines=_compared(keep, other) if other else [],
    )


def _other(keep: Customer, asked: str) -> Customer | None:
    if not (asked.isascii() and asked.isdigit() and len(asked) <= 18):
        return None
    return Customer.objects.filter(pk=int(asked), erased_at=None).exclude(pk=keep.pk).first()


def _found(keep: Customer, text: str) -> list[Customer]:
    matching = Customer.objects.search(text).filter(erased_at=None)  # type: ignore[attr-defined]
    return list(matching.exclude(pk=keep.pk).order_by("name", "pk")[: FOUND + 1])


def _compared(keep: Customer, other: Customer) -> list[Line]:
    return [Line(label, *values) for label, values in _facts(keep, other)]


def _facts(keep: Customer, other: Customer) -> list[tuple[str, tuple[str, str]]]:
    both = (keep, other)

    def told(field: str) -> tuple[str, str]:
        return getattr(keep, field) or "–", getattr(other, field) or "–"

    def counted(model: Any) -> tuple[str, str]:
        kept, others = (number(model.objects.filter(customer=one).count()) for one in both)
        return kept, others

    facts = [
        (_("Name"), told("name")),
        (_("E-mail"), told("email")),
        (_("Phone"), told("phone")),
        (_("Customer number"), told("external_id")),
        (_("Customer since"), (day(keep.acquired_at), day(other.acquired_at))),
        (_("Purchases"), counted(Purchase)),
        (_("Contacts"), counted(Interaction)),
        (_("Next steps"), counted(FollowUp)),
        (_("Mails"), counted(Message)),
        (_("Coupons"), counted(Coupon)),
        (_("Answers"), counted(Response)),
    ]
    said = {
        (one.customer_id, one.purpose): str(one.get_status_display())
        for one in Consent.objects.filter(customer__in=both, superseded_at=None)
    }
    for purpose, label in Purpose.choices:
        kept, others = (said.get((one.pk, purpose), _("never asked")) for one in both)
        facts.append((str(label), (kept, others)))
    return facts


@action("customers.erase_customer")
def erase(request: StaffRequest, pk: int) -> HttpResponse:
    person = get_object_or_404(Customer, pk=pk)
    with refusals(request):
        erasure.erase_customer(customer=person, by=request.user, at=timezone.now())
        messages.success(request, _("The person was erased. Purchases and sums stay."))
    return redirect("crm:customer", pk)
