"""Settings on one page, exchange rates, API keys, one's own preferences, and the records staff may look up."""

from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings as django_settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from crm.common import staff
from crm.common.api_access import issue_key
from crm.common.models import ApiKey, Shop, User
from crm.pages.customer_form import zones
from crm.pages.paging import by_key
from crm.pages.shell import StaffRequest, action, back, done, form_page, page, render
from customers.models import ExchangeRate, Purchase
from customers.services import rates as rate_services

# What the settings page leads to: title, sentence, icon, route, permission.
_LINKS = (
    (gettext_lazy("Shop"), gettext_lazy("Name, money, calendar, sender, margin and discount rate."), "storefront", "admin:common_shop_changelist", "common.view_shop"),
    (gettext_lazy("Exchange rates"), gettext_lazy("What a foreign amount is worth on its day."), "currency_exchange", "crm:rates", "customers.view_exchangerate"),
    (gettext_lazy("Acquisition channels"), gettext_lazy("Where customers come from."), "hub", "admin:customers_acquisitionchannel_changelist", "customers.view_acquisitionchannel"),
    (gettext_lazy("Marketing spend"), gettext_lazy("What each channel cost, month by month: the numerator of CAC."), "payments", "admin:customers_marketingspend_changelist", "customers.view_marketingspend"),
    (gettext_lazy("Staff"), gettext_lazy("Who works here, and in which role."), "badge", "admin:common_user_changelist", "common.view_user"),
    (gettext_lazy("Roles"), gettext_lazy("What each role may do."), "shield_person", "admin:auth_group_changelist", "auth.view_group"),
    (gettext_lazy("API keys"), gettext_lazy("For programs that read or record."), "key", "crm:api_keys", "common.view_apikey"),
    (gettext_lazy("Failed sign-ins"), gettext_lazy("Who was locked out and why."), "lock", "admin:axes_accessattempt_changelist", "axes.view_accessattempt"),
)  # fmt: skip
_RECORDS = (
    (gettext_lazy("Purchases"), gettext_lazy("Every paid order as it came."), "receipt_long", "admin:customers_purchase_changelist", "customers.view_purchase"),
    (gettext_lazy("Refunds"), gettext_lazy("Money given back; never edited."), "undo", "admin:customers_refund_changelist", "customers.view_refund"),
    (gettext_lazy("Consents"), gettext_lazy("Who said what about being contacted, and when."), "verified_user", "admin:customers_consent_changelist", "customers.view_consent"),
    (gettext_lazy("Interactions"), gettext_lazy("What staff and customers said to each other."), "forum", "admin:customers_interaction_changelist", "customers.view_interaction"),
    (gettext_lazy("Messages"), gettext_lazy("The ledger of campaign mails."), "mail", "admin:campaigns_message_changelist", "campaigns.view_message"),
    (gettext_lazy("Products"), gettext_lazy("What was bought."), "inventory_2", "admin:customers_product_changelist", "customers.view_product"),
    (gettext_lazy("Valuations"), gettext_lazy("The runs of the model and their parameters."), "query_stats", "admin:ltv_ltvrun_changelist", "ltv.view_ltvrun"),
)  # fmt: skip


def _allowed(request: StaffRequest, links: tuple[tuple[Any, ...], ...]) -> list[tuple[Any, ...]]:
    return [link for link in links if request.user.has_perm(link[4])]


@page("common.view_shop")
def settings(request: StaffRequest) -> HttpResponse:
    return render(request, "crm/links.html", title=_("Settings"), links=_allowed(request, _LINKS))


@page("customers.view_purchase")
def records(request: StaffRequest) -> HttpResponse:
    text = _("What happened, as it was recorded. These lists are for looking up; nothing in them is edited.")
    links = _allowed(request, _RECORDS)
    return render(request, "crm/links.html", title=_("Records"), links=links, text=text)


# -- exchange rates ------------------------------------------------------------------------------------------


class RateForm(forms.Form):
    currency = forms.CharField(label=gettext_lazy("Currency"), min_length=3, max_length=3)
    day = forms.DateField(label=gettext_lazy("From this day"), widget=forms.DateInput(attrs={"type": "date"}))
    rate = forms.DecimalField(
        label=gettext_lazy("Worth of one unit in base currency"), max_digits=18, decimal_places=9
    )

    def clean_currency(self) -> str:
        return str(self.cleaned_data["currency"]).upper()


@form_page("customers.view_exchangerate")
def rates(request: StaffRequest) -> HttpResponse:
    form = RateForm(request.POST or None)
    if request.method == "POST":
        if not request.user.has_perm("customers.add_exchangerate"):
            raise PermissionDenied
        waiting = Purchase.objects.without_rate().count()  # type: ignore[attr-defined]
        if done(form, lambda: rate_services.set_rate(**form.cleaned_data)):
            filled = waiting - Purchase.objects.without_rate().count()  # type: ignore[attr-defined]
            words = _("Saved. %(n)s purchases got their base amount.") % {"n": f"{filled:,}"}
            messages.success(request, words)
            return redirect("crm:rates")
    return render(
        request,
        "crm/rates.html",
        title=_("Exchange rates"),
        status=422 if form.is_bound else 200,
        form=form,
        shop=Shop.current(),
        pages=by_key(request, ExchangeRate.objects.all()),
        missing=Purchase.objects.without_rate()[:1000].count(),  # type: ignore[attr-defined]
    )


# -- API keys ------------------------------------------------------------------------------------------------


class KeyForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("What it is for"), max_length=80)
    user = forms.ModelChoiceField(
        label=gettext_lazy("Acts as"),
        queryset=User.objects.filter(is_active=True, is_staff=True),
        help_text=gettext_lazy("The key may do what this member of staff may do."),
        empty_label=gettext_lazy("Choose a member of staff"),
    )
    days = forms.IntegerField(
        label=gettext_lazy("Valid, days"), min_value=1, max_value=3650, required=False, initial=365
    )


@form_page("common.view_apikey")
def api_keys(request: StaffRequest) -> HttpResponse:
    form, issued = KeyForm(request.POST or None), ""
    if request.method == "POST":
        if not request.user.has_perm("common.add_apikey"):
            raise PermissionDenied
        if form.is_valid():
            given = form.cleaned_data
            lifetime = timedelta(days=given["days"]) if given["days"] else None
            # The text exists in this answer only, so there is no redirect that would have to carry it.
            _key, issued = issue_key(user=given["user"], name=given["name"], lifetime=lifetime)
            form = KeyForm()
    return render(
        request,
        "crm/api_keys.html",
        title=_("API keys"),
        status=422 if form.is_bound else 200,
        form=form,
        issued=issued,
        pages=by_key(request, ApiKey.objects.select_related("user")),
        now=timezone.now(),
    )


@action("common.change_apikey")
def revoke_key(request: StaffRequest, pk: int) -> HttpResponse:
    if staff.revoke_key(key=get_object_or_404(ApiKey, pk=pk), at=timezone.now()):
        messages.success(request, _("The key works no longer."))
    return redirect("crm:api_keys")


# -- one's own preferences -----------------------------------------------------------------------------------


class PreferencesForm(forms.Form):
    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        choices=[("", gettext_lazy("As the browser asks")), *django_settings.LANGUAGES],
        required=False,
    )
    time_zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        choices=lambda: [("", gettext_lazy("The shop's")), *zones()],
        required=False,
    )


@form_page()
def preferences(request: StaffRequest) -> HttpResponse:
    user = request.user
    initial = {"language": user.language, "time_zone": user.time_zone}
    form = PreferencesForm(request.POST or None, initial=initial)
    if request.method == "POST" and done(form, lambda: staff.set_preferences(user=user, **form.cleaned_data)):
        messages.success(request, _("Saved."))
        return redirect("crm:preferences")
    status = 422 if form.is_bound else 200
    title = _("Language and time zone")
    return render(request, "crm/preferences.html", title=title, status=status, form=form)


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """The language buttons: the browser keeps the choice for who is not signed in, the account for who is."""
    chosen = request.POST.get("language", "")
    answer = back(request, "admin:index")
    if chosen in dict(django_settings.LANGUAGES):
        if isinstance(request.user, User):
            staff.set_preferences(user=request.user, language=chosen, time_zone=request.user.time_zone)
        answer.set_cookie(
            django_settings.LANGUAGE_COOKIE_NAME,
            chosen,
            max_age=timedelta(days=365),
            secure=django_settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
    return answer
