"""Detractors: unhappy answers until somebody cared for each, the most valuable customers first."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from crm.common import sql
from crm.pages.paging import by_key
from crm.pages.shell import StaffRequest, action, page, refusals, render
from crm.pages.today import OPEN_CASES
from feedback.choices import CaseStatus
from feedback.core.scores import PASSIVE_FROM
from feedback.models import Response, Theme
from feedback.services import cases as services
from feedback.services import themes as theme_services
from ltv import reports
from ltv.models import CustomerLtv


@page("feedback.view_response")
@sql.one_moment()
def cases(request: StaffRequest) -> HttpResponse:
    wanted = request.GET.get("state", "open")
    states = [wanted] if wanted in CaseStatus.values else list(OPEN_CASES)
    rows = (
        Response.objects.filter(score__lt=PASSIVE_FROM, case_status__in=states)
        .select_related("customer", "survey", "case_owner")
        .prefetch_related("themes")
    )
    pages, run = by_key(request, rows, size=30), reports.current_run()
    values = CustomerLtv.objects.in_bulk([one.customer_id for one in pages.rows]) if run else {}
    for one in pages.rows:
        one.value = values.get(one.customer_id)  # type: ignore[attr-defined]
    return render(
        request,
        "crm/cases.html",
        title=_("Detractors"),
        pages=pages,
        run=run,
        state=wanted if wanted in CaseStatus.values else "open",
        states=[("open", _("Open")), *CaseStatus.choices],
    )


@page("feedback.view_response")
def case(request: StaffRequest, pk: int) -> HttpResponse:
    one = get_object_or_404(
        Response.objects.select_related("customer", "survey", "case_owner").prefetch_related("themes"), pk=pk
    )
    tagged = [theme.pk for theme in one.themes.all()]
    card = reports.value_card(one.customer_id) if request.user.has_perm("ltv.view_customerltv") else None
    return render(
        request,
        "crm/case.html",
        title=_("Answer of %(who)s") % {"who": one.customer.name},
        response_=one,
        answers=list(one.answers.select_related("question").order_by("question__position")),
        card=card,
        states=CaseStatus.choices,
        other_themes=list(Theme.objects.exclude(pk__in=tagged)[:200]),
    )


@action("feedback.change_response")
def move(request: StaffRequest, pk: int) -> HttpResponse:
    """Take the case over and say how far it is."""
    one = get_object_or_404(Response, pk=pk)
    with refusals(request):
        services.move_case(response=one, status=request.POST.get("status", ""), owner=request.user)
        messages.success(request, _("Saved; the case is yours."))
    return redirect("crm:case", pk)


@action("feedback.change_response")
def tag(request: StaffRequest, pk: int) -> HttpResponse:
    """Say what the answer is about, or take that back."""
    one = get_object_or_404(Response, pk=pk)
    wanted = request.POST.get("theme", "")
    theme = get_object_or_404(
        Theme, pk=wanted if wanted.isascii() and wanted.isdigit() and len(wanted) < 19 else 0
    )
    with refusals(request):
        if "remove" in request.POST:
            theme_services.untag_response(response=one, theme=theme)
        else:
            theme_services.tag_response(response=one, theme=theme)
    return redirect("crm:case", pk)
