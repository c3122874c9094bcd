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
from campaigns.models import Coupon, Offer
from campaigns.services import coupons
from crm.pages.paging import by_key
from crm.pages.shell import StaffRequest, attempt, form_page, page, render


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
    )


@form_page("campaigns.view_offer", "campaigns.change_coupon")
def redeem(request: StaffRequest) -> HttpResponse:
    if request.method != "POST":
        return redirect("crm:offers")
    form = RedeemForm(request.POST)
    if not form.is_valid():
        return _show(request, form, status=422)
    coupon = attempt(form, lambda: coupons.redeem(at=timezone.now(), **form.cleaned_data))
    if coupon is None:
        return _show(request, form, status=422)
    messages.success(
        request, _("%(offer)s: used by %(who)s.") % {"offer": coupon.offer.name, "who": coupon.customer.name}
    )
    return redirect("crm:offers")
