"""Making a campaign: who, what in which language, what is offered, how much is held out; and how it will look."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.choices import CampaignKind, CampaignStatus, Trigger
from campaigns.models import Campaign, Offer
from campaigns.services import campaigns as services
from campaigns.services import mails
from crm.common.errors import DomainError
from crm.common.models import Shop
from crm.pages.mail_frame import mail_document
from crm.pages.shell import StaffRequest, attempt, form_page, page, render
from customers.choices import Language, Purpose, SegmentStatus
from customers.models import Customer, Segment
from feedback.choices import SurveyStatus
from feedback.models import Survey


class CampaignForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=CampaignKind)
    segment = forms.ModelChoiceField(
        label=gettext_lazy("Audience"),
        queryset=Segment.objects.filter(status=SegmentStatus.ACTIVE),
        empty_label=gettext_lazy("Choose a segment"),
    )
    trigger = forms.ChoiceField(label=gettext_lazy("Who, when"), choices=Trigger)
    purpose = forms.ChoiceField(
        label=gettext_lazy("Purpose"),
        choices=Purpose,
        help_text=gettext_lazy("Only those who agreed to it are mailed."),
    )
    offer = forms.ModelChoiceField(
        label=gettext_lazy("Offer"),
        queryset=Offer.objects.all(),
        required=False,
        empty_label=gettext_lazy("No offer"),
    )
    survey = forms.ModelChoiceField(
        label=gettext_lazy("Survey"),
        queryset=Survey.objects.exclude(status=SurveyStatus.CLOSED),
        required=False,
        empty_label=gettext_lazy("No survey"),
    )
    control_percent = forms.IntegerField(
        label=gettext_lazy("Held out, percent"),
        min_value=0,
        max_value=50,
        initial=10,
        help_text=gettext_lazy("Kept aside at random, so that the effect can be measured."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for code, label in Language.choices:
            words = {"label": label}
            self.fields[f"{code}.subject"] = forms.CharField(
                label=_("Subject in %(label)s") % words, max_length=150, required=False
            )
            self.fields[f"{code}.body"] = forms.CharField(
                label=_("Text in %(label)s") % words,
                max_length=20_000,
                required=False,
                widget=forms.Textarea(attrs={"rows": 8}),
            )

    def texts(self) -> list[tuple[Any, Any, Any]]:
        """The fields of each language, for the template."""
        return [(label, self[f"{code}.subject"], self[f"{code}.body"]) for code, label in Language.choices]

    def facts(self) -> dict[str, Any]:
        """What the services call the facts of a campaign."""
        names = ("name", "kind", "segment", "trigger", "purpose", "offer", "survey")
        facts = {name: self.cleaned_data[name] for name in names}
        return facts | {"control_share": Decimal(self.cleaned_data["control_percent"]) / 100}

    def variants(self) -> dict[str, tuple[str, str]]:
        """The texts that have words; the first language with any is the one for everybody else."""
        given = {
            code: (self.cleaned_data[f"{code}.subject"], self.cleaned_data[f"{code}.body"])
            for code in Language.values
        }
        return {code: words for code, words in given.items() if any(words)}


@form_page("campaigns.view_campaign", "campaigns.add_campaign")
def new(request: StaffRequest) -> HttpResponse:
    form = CampaignForm(request.POST or None, initial={"segment": request.GET.get("segment")})
    if request.method == "POST" and form.is_valid():
        at = timezone.now()
        made = attempt(
            form,
            lambda: services.create_campaign(
                **form.facts(), variants=form.variants(), at=at, by=request.user
            ),
        )
        if made is not None:
            messages.success(request, _("Draft saved. Nothing is sent before you launch it."))
            return redirect("crm:campaign", made.pk)
    return _form(request, form, _("New campaign"))


@form_page("campaigns.view_campaign", "campaigns.change_campaign")
def edit(request: StaffRequest, pk: int) -> HttpResponse:
    one = get_object_or_404(Campaign, pk=pk)
    if one.status != CampaignStatus.DRAFT:
        messages.error(request, str(services.NotADraft.message))
        return redirect("crm:campaign", pk)
    form = CampaignForm(request.POST or None, initial=_initial(one))
    if request.method == "POST" and form.is_valid():
        at = timezone.now()
        saved = attempt(
            form,
            lambda: services.change_campaign(
                campaign=one, changes=form.facts(), variants=form.variants(), at=at
            ),
        )
        if saved is not None:
            messages.success(request, _("Saved."))
            return redirect("crm:campaign", pk)
    return _form(request, form, _("Edit the draft"), one)


def _initial(one: Campaign) -> dict[str, Any]:
    names = ("name", "kind", "segment", "trigger", "purpose", "offer", "survey")
    initial = {name: getattr(one, name) for name in names}
    initial["control_percent"] = int(one.control_share * 100)
    for variant in one.variants.all():
        initial |= {f"{variant.language}.subject": variant.subject, f"{variant.language}.body": variant.body}
    return initial


def _form(request: StaffRequest, form: CampaignForm, title: str, one: Campaign | None = None) -> HttpResponse:
    status = 422 if form.is_bound else 200
    return render(request, "crm/campaign_form.html", title=title, status=status, form=form, campaign=one)


@page("campaigns.view_campaign")
def preview(request: StaffRequest, pk: int) -> HttpResponse:
    """The mail as a chosen customer (or a sample) would get it, in the frame of the page around it."""
    one = get_object_or_404(Campaign.objects.select_related("segment", "offer", "survey"), pk=pk)
    language = request.GET.get("language", "")
    chosen = _chosen(request)
    rendered, refusal = None, ""
    try:
        rendered = _rendered(one, chosen, language if language in Language.values else "en")
    except DomainError as error:
        refusal = str(error.text)
    return render(
        request,
        "crm/campaign_preview.html",
        title=_("Preview"),
        campaign=one,
        rendered=rendered,
        refusal=refusal,
        document=mail_document(rendered.html) if rendered else "",
        languages=Language.choices,
        language=language,
        chosen=chosen,
        asked=request.GET.get("customer", ""),
    )


def _chosen(request: StaffRequest) -> Customer | None:
    """The customer named by number, or the first one a search finds."""
    asked = request.GET.get("customer", "").strip()[:100]
    if not asked or not asked.isprintable() or not request.user.has_perm("customers.view_customer"):
        return None
    if asked.isascii() and asked.isdigit() and len(asked) < 19:
        return Customer.objects.filter(pk=int(asked)).first()
    return Customer.objects.search(asked).first()  # type: ignore[attr-defined,no-any-return]


def _rendered(one: Campaign, chosen: Customer | None, language: str) -> mails.Rendered:
    at = timezone.now()
    if chosen is None:
        return services.preview(campaign=one, language=language, at=at)
    variants = list(one.variants.all())
    if not variants:
        raise services.NotReady(_("The campaign has no text."))
    variant = next((v for v in variants if v.language == chosen.language), variants[0])
    composer = mails.Composer(Shop.current(), [one])
    return composer.render(one, variant, composer.sample(chosen, one, at=at), country=chosen.country)
