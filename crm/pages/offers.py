"""Offers and their coupons, and using a coupon for an order."""

from django import forms
from django.contrib import messages
from django.db.models import Count, OuterRef, Subquery
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.choices import CouponStatus
from campaigns.core import codes
from campaigns.models import Coupon, Offer
from campaigns.services import coupons
from crm.common.models import Shop
from crm.pages.paging import by_key
from crm.pages.shell import StaffRequest, attempt, form_page, page, render
from crm.templatetags.crm import day, moment


class RedeemForm(forms.Form):
    code = forms.CharField(label=gettext_lazy("Coupon code"), max_length=60)
    order_ref = forms.CharField(label=gettext_lazy("Order id"), max_length=100)


@page("campaigns.view_offer")
def offers(request: StaffRequest) -> HttpResponse:
    return _show(request, RedeemForm())


def _show(request: StaffRequest, form: RedeemForm, status: int = 200) -> HttpResponse:
    issued = Coupon.objects.filter(offer=OuterRef("pk")).order_by().values("offer")
    rows = Offer.objects.annotate(
        coupons_made=Subquery(issued.annotate(n=Count("pk")).values("n")),
        redeemed=Subquery(issued.filter(status=CouponStatus.REDEEMED).annotate(n=Count("pk")).values("n")),
    )
    newest = Coupon.objects.select_related("customer", "offer", "enrolment__campaign")
    return render(
        request,
        "crm/offers.html",
        title=_("Offers and coupons"),
        status=status,
        offers=list(rows.order_by("-pk")[:50]),
        pages=by_key(request, newest),
        form=form,
        shop=Shop.current(),
        now=timezone.now(),
    )


@form_page("campaigns.view_offer", "campaigns.change_coupon")
def redeem(request: StaffRequest) -> HttpResponse:
    if request.method != "POST":
        return redirect("crm:offers")
    form = RedeemForm(request.POST)
    if not form.is_valid():
        return _show(request, form, status=422)
    coupon = attempt(form, lambda: _redeem(**form.cleaned_data))
    if coupon is None:
        return _show(request, form, status=422)
    messages.success(
        request, _("%(offer)s: used by %(who)s.") % {"offer": coupon.offer.name, "who": coupon.customer.name}
    )
    return redirect("crm:offers")


def _redeem(code: str, order_ref: str) -> Coupon:
    """Whoever guesses codes over the API is told nothing; staff are told what is wrong, and can tell the customer."""
    try:
        return coupons.redeem(code=code, order_ref=order_ref, at=timezone.now())
    except coupons.CouponRefused as refused:
        raise type(refused)(_why_refused(code)) from refused


def _why_refused(code: str) -> str:
    found = Coupon.objects.select_related("customer").filter(code=codes.normalise(code)).first()
    if found is None:
        return _("No coupon has this code. Compare it with the mail, letter by letter.")
    facts = {"who": found.customer.name, "order": found.order_ref, "at": moment(found.redeemed_at)}
    if found.status == CouponStatus.REDEEMED:
        return _("Already used by %(who)s on %(at)s, for order %(order)s. A coupon works once.") % facts
    if found.status == CouponStatus.ISSUED:
        return _("This coupon of %(who)s expired on %(day)s.") % {**facts, "day": day(found.expires_at)}
    if found.status == CouponStatus.CANCELLED:
        return _("This coupon of %(who)s was cancelled: its mail was never sent.") % facts
    return _("The mail with this coupon has not left yet, so it cannot be used.")
