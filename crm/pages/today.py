"""Today: the figures with their definitions, the night's state, and what waits for a person."""

from datetime import date, datetime, timedelta
from typing import Any

from django.contrib import messages
from django.db.models import Case, Count, Exists, OuterRef, QuerySet, When
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns.choices import CampaignStatus
from campaigns.models import Campaign
from campaigns.reports import waiting_for_forecast
from crm.common import sql
from crm.common.models import Shop, User
from crm.pages.customers import last_purchase
from crm.pages.nights_today import last_night, notice
from crm.pages.report_card import findings
from crm.pages.shell import StaffRequest, action, back, refusals
from crm.templatetags.crm import month
from customers.choices import FollowUpStatus
from customers.models import FollowUp, Purchase, SegmentMembership
from customers.services import contact
from feedback import reports as feedback_reports
from feedback.choices import CaseStatus
from feedback.core.scores import PASSIVE_FROM
from feedback.models import Response
from ltv import reports
from ltv.models import CustomerLtv

QUEUE = 10
NPS_DAYS = 90
OPEN_CASES = (CaseStatus.NEW, CaseStatus.IN_CONTACT)


@sql.one_moment()
def dashboard(request: StaffRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the admin's index shows; each part only to those who may read it."""
    user, now = request.user, timezone.now()
    shop = Shop.current()
    today = shop.business_date(now)
    context |= {"title": _("Today"), "shop": shop, "today": today, "now": now}
    if user.has_perm("ltv.view_customerltv"):
        context |= _value(user)
    if user.has_perm("ltv.view_reportcard"):
        context |= _forecast(user)
    if user.has_perm("feedback.view_response"):
        context |= _feedback(now)
    if user.has_perm("customers.view_followup"):
        context["follow_ups"] = _follow_ups(user, today)
    if user.has_perm("customers.view_purchase"):
        context["without_rate"] = list(
            Purchase.objects.without_rate()
            .order_by("currency")
            .values("currency")
            .annotate(purchases=Count("pk"))
        )
    if user.has_perm("common.view_jobrun"):
        shown = context.get("overview") or reports.current_run()
        night = last_night(now)
        context |= {"night": night, "night_notice": notice(night, shop, now, shown.as_of if shown else None)}
    return context


def _value(user: User) -> dict[str, Any]:
    found = reports.overview()
    if found is None:
        return {"overview": None, "valued": True}
    months = found.months
    context: dict[str, Any] = {
        "overview": found,
        "valued": True,
        "months_known": months[-2:],
        "this_month": months[-1] if months else None,
        "month_is_over": bool(months) and months[-1].month < f"{found.as_of:%Y-%m}",
        "last_month": months[-2] if len(months) > 1 else None,
        "revenue_chart": _revenue_chart(found),
        "decile_chart": _decile_chart(found),
    }
    if user.has_perm("customers.view_customer"):
        run = reports.current_run()
        newly = list(_newly_at_risk(run.started_at)[:QUEUE]) if run else []
        context["newly_at_risk"] = [(row, last_purchase(row, run)) for row in newly]
    return context


def _newly_at_risk(since: datetime) -> QuerySet[CustomerLtv]:
    """Who entered the At risk segment in the last night, the most valuable first."""
    entered = SegmentMembership.objects.filter(
        customer_id=OuterRef("customer_id"),
        segment__key="at-risk",
        left_at__isnull=True,
        entered_at__gte=since,
    )
    return CustomerLtv.objects.filter(Exists(entered)).select_related("customer").order_by("-clv")


def _forecast(user: User) -> dict[str, Any]:
    """Where predictions do not drive offers: why, and which campaigns wait for it."""
    trust = reports.predictions_may_drive_offers()
    if trust.allowed or trust.card is None:
        return {}
    running = Campaign.objects.filter(status=CampaignStatus.RUNNING).select_related("segment")
    waiting = waiting_for_forecast(running) if user.has_perm("campaigns.view_campaign") else []
    return {"forecast_card": trust.card, "forecast_said": findings(trust.card)[:1], "waiting": waiting}


def _revenue_chart(found: reports.Overview) -> dict[str, Any]:
    return {
        "type": "bar",
        "currency": found.currency,
        "labels": [month(one.month) for one in found.months],
        "datasets": [{"label": _("Revenue"), "data": [float(one.revenue) for one in found.months]}],
    }


def _decile_chart(found: reports.Overview) -> dict[str, Any]:
    return {
        "type": "bar",
        "percent": True,
        "labels": [str(tenth.decile) for tenth in found.deciles],
        "datasets": [
            {"label": _("Share of expected margin"), "data": [tenth.share for tenth in found.deciles]}
        ],
    }


def _feedback(now: datetime) -> dict[str, Any]:
    cases = list(
        Response.objects.filter(score__lt=PASSIVE_FROM, case_status__in=OPEN_CASES)
        .select_related("customer", "case_owner")
        .order_by("-submitted_at")[:QUEUE]
    )
    values = CustomerLtv.objects.in_bulk([case.customer_id for case in cases])
    for case in cases:
        case.value = values.get(case.customer_id)  # type: ignore[attr-defined]
    return {
        "nps": feedback_reports.nps(since=now - timedelta(days=NPS_DAYS)),
        "nps_days": NPS_DAYS,
        "detractors": cases,
    }


def _follow_ups(user: User, today: date) -> list[FollowUp]:
    """Due today or earlier: one's own first, then what nobody or a colleague has."""
    due = FollowUp.objects.due(today).select_related("customer", "assigned_to")  # type: ignore[attr-defined]
    whose = Case(When(assigned_to=user, then=0), default=1)
    return list(due.order_by(whose, "due_on", "pk")[:QUEUE])


@action("customers.change_followup")
def close_follow_up(request: StaffRequest, pk: int) -> HttpResponse:
    follow_up = get_object_or_404(FollowUp, pk=pk)
    status = FollowUpStatus.CANCELLED if "cancel" in request.POST else FollowUpStatus.DONE
    with refusals(request):
        contact.close_follow_up(follow_up=follow_up, status=status, at=timezone.now())
        messages.success(request, _("Follow-up closed: %(text)s") % {"text": follow_up.text})
    return back(request, "admin:index")
