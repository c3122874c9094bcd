"""Segments: the list, one segment with its members, and the builder of rules."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count, OuterRef, QuerySet, Subquery, Sum
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from campaigns.models import Campaign
from crm.common import sql
from crm.common.errors import DomainError
from crm.common.models import Shop
from crm.pages.paging import SIZE, Pages, link, position, words
from crm.pages.report_card import doubt
from crm.pages.shell import StaffRequest, action, attempt, form_page, page, refusals, render
from customers.choices import SegmentStatus
from customers.core import rules
from customers.core.rule_words import OPERATOR_LABELS, Words
from customers.core.traits import catalogue
from customers.models import Customer, Segment, SegmentMembership
from customers.services import segments as services
from customers.services.segments.checking import words as words_of_rules
from ltv import reports
from ltv.models import CustomerLtv

NIGHTS = 14


class SegmentForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    description = forms.CharField(label=gettext_lazy("In one sentence"), max_length=300, required=False)
    rule = forms.JSONField(label=gettext_lazy("Rule"), widget=forms.HiddenInput)


@page("customers.view_segment")
@sql.one_moment()
def segments(request: StaffRequest) -> HttpResponse:
    """Every segment with members, what the last night changed, and what the members are worth."""
    run = reports.current_run()
    since = run.started_at if run else timezone.now() - timedelta(days=1)
    rows = list(
        _with_movement(Segment.objects.filter(status=SegmentStatus.ACTIVE), since).order_by(
            "-member_count", "name"
        )
    )
    values, speak = _values(rows) if run else {}, words_of_rules()
    for row in rows:
        row.value = values.get(row.pk)  # type: ignore[attr-defined]
        row.explained = _explain(row.rule, speak)  # type: ignore[attr-defined]
    archived = Segment.objects.filter(status=SegmentStatus.ARCHIVED).count()
    return render(
        request, "crm/segments.html", title=_("Segments"), segments=rows, run=run, archived=archived
    )


def _with_movement(rows: QuerySet[Segment], since: datetime) -> QuerySet[Segment]:
    """How many entered and left since ``since``, as subqueries."""
    stays = SegmentMembership.objects.filter(segment=OuterRef("pk")).order_by().values("segment")
    return rows.annotate(
        entered=Subquery(stays.filter(entered_at__gte=since).annotate(n=Count("pk")).values("n")),
        left=Subquery(stays.filter(left_at__gte=since).annotate(n=Count("pk")).values("n")),
        used=Subquery(
            Campaign.objects.filter(segment=OuterRef("pk"))
            .order_by()
            .values("segment")
            .annotate(n=Count("pk"))
            .values("n")
        ),
    )


def _values(rows: list[Segment]) -> dict[int, Any]:
    """Each segment's expected margin; one pass over the open stays."""
    summed = (
        SegmentMembership.objects.filter(segment__in=rows, left_at__isnull=True)
        .order_by()
        .values("segment_id")
        .annotate(value=Sum("customer__ltv__clv"))
    )
    return {row["segment_id"]: row["value"] for row in summed}


def _explain(rule: object, speak: Words | None = None) -> str:
    """The rule in words, or why it has none."""
    try:
        return (speak or words_of_rules()).rule(services.check_rule(rule))
    except DomainError as error:
        return _("This rule cannot be read any more: %(why)s") % {"why": error.text}


@page("customers.view_segment", "customers.view_customer")
@sql.one_moment()
def segment(request: StaffRequest, pk: int) -> HttpResponse:
    one, run = get_object_or_404(Segment, pk=pk), reports.current_run()
    pages = _members(request, one)
    people = Customer.objects.in_bulk(pages.rows)
    figures = CustomerLtv.objects.in_bulk(pages.rows) if run else {}
    entered = dict(
        SegmentMembership.objects.filter(segment=one, left_at=None, customer_id__in=pages.rows).values_list(
            "customer_id", "entered_at"
        )
    )
    return render(
        request,
        "crm/segment.html",
        title=one.title,
        segment=one,
        run=run,
        explained=_explain(one.rule),
        doubt=doubt(one),
        rows=[(people[pk], figures.get(pk), entered.get(pk)) for pk in pages.rows if pk in people],
        pages=pages,
        movement=_movement(one),
        campaigns=list(Campaign.objects.filter(segment=one)[:10]),
    )


def _members(request: StaffRequest, one: Segment) -> Pages:
    """Members by value, page by page; a customer without figures yet comes last."""
    before = min(position(request), 10_000)
    ids = reports.members_by_value(one.pk, skip=before, limit=SIZE + 1)
    shown, more = ids[:SIZE], len(ids) > SIZE
    return Pages(
        rows=shown,
        first=link(request, **{"from": None}) if before else "",
        next=link(request, **{"from": before + SIZE}) if more else "",
        words=words(before, len(shown), more, one.member_count),
    )


def _movement(one: Segment) -> list[dict[str, Any]]:
    """Entered and left per evaluation, the newest first, each with the run of the night it belongs to, if any."""
    stays = SegmentMembership.objects.filter(segment=one).order_by()
    found: dict[datetime, dict[str, Any]] = {}
    for name, column in (("entered", "entered_at"), ("left", "left_at")):
        moments = stays.filter(**{f"{column}__isnull": False}).values(column).annotate(n=Count("pk"))
        for row in moments.order_by(f"-{column}")[:NIGHTS]:
            night = found.setdefault(row[column], {"at": row[column], "entered": 0, "left": 0})
            night[name] = row["n"]
    newest = sorted(found.values(), key=lambda night: night["at"], reverse=True)[:NIGHTS]
    runs = reports.jobs_published_at([night["at"] for night in newest])
    return [night | {"run": runs.get(night["at"])} for night in newest]


# -- the builder ----------------------------------------------------------------------------------------------


def _offered() -> list[dict[str, Any]]:
    """The catalogue as the builder's script needs it."""
    takes = {name: operator.takes for name, operator in rules.OPERATORS.items()}
    return [
        {
            "name": trait.name,
            "label": str(trait.label),
            "group": str(_GROUPS.get(trait.name.partition(".")[0], trait.name)),
            "type": trait.type,
            "unit": _(trait.unit) if trait.unit else "",
            "description": str(trait.description),
            "choices": [[str(key), str(label)] for key, label in trait.choices],
            "suggest": [[str(key), str(label)] for key, label in (trait.suggest() if trait.suggest else ())],
            "ops": [[op, _(OPERATOR_LABELS[op]), takes[op]] for op in rules.operators_for(trait)],
        }
        for trait in catalogue().traits.values()
    ]


_GROUPS: Mapping[str, object] = {
    "customers": gettext_lazy("Customer"),
    "ltv": gettext_lazy("Value"),
    "feedback": gettext_lazy("Feedback"),
    "campaigns": gettext_lazy("Campaigns"),
}


_TEXTS = {
    "all": gettext_lazy("all of these hold"),
    "any": gettext_lazy("any of these holds"),
    "not": gettext_lazy("this does not hold"),
    "join": gettext_lazy("How the conditions are joined"),
    "add": gettext_lazy("Condition"),
    "group": pgettext_lazy("of conditions", "Group"),
    "remove": gettext_lazy("Remove"),
    "what": gettext_lazy("What is asked"),
    "how": gettext_lazy("How it compares"),
    "value": pgettext_lazy("of a condition", "Value"),
    "percent": gettext_lazy("Value in percent"),
    "and": gettext_lazy("and"),
    "days": gettext_lazy("days"),
    "yes": gettext_lazy("yes"),
    "no": gettext_lazy("no"),
    "comma": gettext_lazy("several, with commas"),
    "away": gettext_lazy("The server did not answer."),
}


@form_page("customers.view_segment", "customers.add_segment")
def new(request: StaffRequest) -> HttpResponse:
    start = {"rule": {"all": [{"trait": "ltv.clv", "op": ">=", "value": 100}]}}
    form = SegmentForm(request.POST or None, initial=start)
    if request.method == "POST" and form.is_valid():
        given, at = form.cleaned_data, timezone.now()
        key = slugify(given["name"])[:50] or f"segment-{at:%y%m%d%H%M%S}"
        made = attempt(form, lambda: services.create_segment(key=key, by=request.user, at=at, **given))
        if made is not None:
            messages.success(request, _("Segment saved: %(n)s members.") % {"n": f"{made.member_count:,}"})
            return redirect("crm:segment", made.pk)
    return _builder(request, form, _("New segment"))


@form_page("customers.view_segment", "customers.change_segment")
def edit(request: StaffRequest, pk: int) -> HttpResponse:
    one = get_object_or_404(Segment, pk=pk)
    start = {"name": one.title, "description": one.about, "rule": one.rule}
    form = SegmentForm(request.POST or None, initial=start)
    form.fields["name"].disabled = form.fields["description"].disabled = True
    if request.method == "POST" and form.is_valid():
        rule = form.cleaned_data["rule"]
        saved = attempt(form, lambda: services.change_rule(segment=one, rule=rule, at=timezone.now()))
        if saved is not None:
            messages.success(request, _("Rule changed: %(n)s members.") % {"n": f"{saved.member_count:,}"})
            return redirect("crm:segment", pk)
    return _builder(request, form, _("Change the rule"), one)


def _builder(
    request: StaffRequest, form: SegmentForm, title: str, one: Segment | None = None
) -> HttpResponse:
    return render(
        request,
        "crm/segment_form.html",
        title=title,
        status=422 if form.is_bound else 200,
        form=form,
        segment=one,
        traits=_offered(),
        rule=_rule_of(form),
        rule_texts={name: str(text) for name, text in _TEXTS.items()},
    )


def _rule_of(form: SegmentForm) -> Any:
    """The rule to start the builder with: what was typed, as far as it is JSON."""
    if not form.is_bound:
        return form.initial["rule"]
    try:
        return json.loads(form.data.get("rule", ""))
    except json.JSONDecodeError:
        return form.initial["rule"]


@action("customers.view_segment")
def preview(request: StaffRequest) -> JsonResponse:
    """How many would be members of a rule now. POST because a rule is too long for an address; it changes nothing."""
    try:
        rule = json.loads(request.POST.get("rule", ""))
        found = services.preview(rule, Shop.current().business_date(timezone.now()))
    except json.JSONDecodeError:
        return JsonResponse({"error": _("The rule is not complete yet.")}, status=422)
    except DomainError as error:
        return JsonResponse({"error": str(error.text), "path": error.detail.get("path", "")}, status=422)
    sample = Customer.objects.filter(pk__in=found.sample).order_by("name").values_list("name", flat=True)
    return JsonResponse(
        {"count": found.count, "exact": found.exact, "words": _explain(rule), "sample": list(sample)}
    )


@action("customers.delete_segment")
def archive(request: StaffRequest, pk: int) -> HttpResponse:
    one = get_object_or_404(Segment, pk=pk)
    with refusals(request):
        services.archive(segment=one, at=timezone.now())
        messages.success(request, _("%(name)s is archived; its history stays.") % {"name": one.title})
    return redirect("crm:segments")
