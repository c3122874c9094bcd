"""Entering a customer, and correcting what is known of one."""

from zoneinfo import available_timezones

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.pages.shell import StaffRequest, attempt, form_page, render
from customers.choices import Language
from customers.models import AcquisitionChannel, Customer
from customers.services import people


def zones() -> list[tuple[str, str]]:
    """The time zones of the world's regions, by name."""
    return [(name, name) for name in sorted(available_timezones()) if "/" in name or name == "UTC"]


class CustomerForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=160)
    given_name = forms.CharField(
        label=gettext_lazy("Given name"),
        max_length=80,
        required=False,
        help_text=gettext_lazy("For the greeting of mails."),
    )
    family_name = forms.CharField(label=gettext_lazy("Family name"), max_length=80, required=False)
    email = forms.CharField(
        label=gettext_lazy("E-mail"),
        max_length=254,
        required=False,
        widget=forms.EmailInput,
    )
    phone = forms.CharField(label=gettext_lazy("Phone"), max_length=32, required=False)
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=Language)
    country = forms.CharField(
        label=gettext_lazy("Country"),
        max_length=2,
        required=False,
        help_text=gettext_lazy("Two letters, such as KR, JP or US."),
    )
    time_zone = forms.ChoiceField(label=gettext_lazy("Time zone"), choices=zones, initial="UTC")
    channel = forms.ModelChoiceField(
        label=gettext_lazy("Acquisition channel"),
        queryset=AcquisitionChannel.objects.all(),
        required=False,
        empty_label=gettext_lazy("Unknown"),
    )
    external_id = forms.CharField(
        label=gettext_lazy("Customer number"),
        max_length=100,
        required=False,
        help_text=gettext_lazy("The id in the shop system."),
    )

    def clean_country(self) -> str:
        return str(self.cleaned_data["country"]).upper()

    def clean_external_id(self) -> str | None:
        return self.cleaned_data["external_id"] or None


@form_page("customers.add_customer")
def new(request: StaffRequest) -> HttpResponse:
    form = CustomerForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        at = timezone.now()
        made = attempt(form, lambda: people.create_customer(at=at, **form.cleaned_data))
        if made is not None:
            messages.success(request, _("%(name)s is a customer now.") % {"name": made.name})
            return redirect("crm:customer", made.pk)
    return _form(request, form, _("New customer"))


@form_page("customers.change_customer")
def edit(request: StaffRequest, pk: int) -> HttpResponse:
    person = get_object_or_404(Customer, pk=pk)
    initial = {name: getattr(person, name) for name in CustomerForm.base_fields}
    form = CustomerForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        changes = {name: value for name, value in form.cleaned_data.items() if value != initial[name]}
        at = timezone.now()
        saved = attempt(form, lambda: people.update_customer(customer=person, changes=changes, at=at))
        if saved is not None:
            messages.success(request, _("Saved."))
            return redirect("crm:customer", pk)
    return _form(request, form, _("Edit customer"), person=person)


def _form(
    request: StaffRequest, form: CustomerForm, title: str, person: Customer | None = None
) -> HttpResponse:
    status = 422 if form.is_bound else 200
    return render(request, "crm/customer_form.html", title=title, status=status, form=form, person=person)
