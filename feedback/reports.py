"""Figures of what customers said."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Avg, Count, F, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import TruncMonth

from crm.common.intervals import net_promoter, wilson
from customers.models import Customer
from feedback.choices import ActionStatus
from feedback.core.scores import PASSIVE_FROM, PROMOTER_FROM
from feedback.models import Action, Invitation, Response, Survey, Theme

_GROUPS = {
    "promoters": Count("pk", filter=Q(score__gte=PROMOTER_FROM)),
    "passives": Count("pk", filter=Q(score__gte=PASSIVE_FROM, score__lt=PROMOTER_FROM)),
    "detractors": Count("pk", filter=Q(score__lt=PASSIVE_FROM)),
    "answers": Count("pk", filter=Q(score__isnull=False)),
}


@dataclass(frozen=True)
class Nps:
    """A net promoter score in points (-100 to 100) with its 95 % interval, and who answered.

    ``responses`` counts every answer of the invited, with or without a score; the rate's interval is Wilson's.
    """

    score: float
    low: float
    high: float
    promoters: int
    passives: int
    detractors: int
    answers: int
    invited: int
    responses: int
    response_rate: float | None
    response_rate_low: float | None
    response_rate_high: float | None


@dataclass(frozen=True)
class MonthlyNps:
    month: date
    score: float
    low: float
    high: float
    answers: int


@dataclass(frozen=True)
class ThemeRow:
    """A theme, how many said it, how they score, and what became of it."""

    theme: Theme
    said: int
    customers: int
    average_score: float | None
    last_said_at: datetime | None
    planned: int
    done: int
    told: int


def nps(survey: Survey | None = None, since: datetime | None = None) -> Nps:
    """The score of one survey (None: all), of answers and invitations not before ``since``. Two queries."""
    groups = _answers(survey, since).aggregate(**_GROUPS)
    invitations = Invitation.objects.filter(**_of(survey), **({"invited_at__gte": since} if since else {}))
    asked = invitations.aggregate(invited=Count("pk"), responses=Count("response"))
    score, low, high = net_promoter(groups["promoters"], groups["detractors"], groups["answers"])
    invited, responses = asked["invited"], asked["responses"]
    rate = (responses / invited, *wilson(responses, invited)) if invited else (None, None, None)
    return Nps(
        score=score,
        low=low,
        high=high,
        **groups,
        invited=invited,
        responses=responses,
        response_rate=rate[0],
        response_rate_low=rate[1],
        response_rate_high=rate[2],
    )


def nps_by_month(survey: Survey | None = None, since: datetime | None = None) -> list[MonthlyNps]:
    """The score month by month (UTC), oldest first; months without an answer are left out. One query."""
    months: Iterable[Any] = (
        _answers(survey, since)
        .annotate(month=TruncMonth("submitted_at"))
        .values("month")
        .annotate(**_GROUPS)
        .filter(answers__gt=0)
        .order_by("month")
    )
    return [
        MonthlyNps(
            row["month"].date(),
            *net_promoter(row["promoters"], row["detractors"], row["answers"]),
            answers=row["answers"],
        )
        for row in months
    ]


def recent_detractors(limit: int = 20) -> QuerySet[Response]:
    """The newest answers of 0 to 6, with customer, survey and themes: a constant number of queries."""
    return (
        Response.objects.filter(score__lt=PASSIVE_FROM)
        .select_related("customer", "survey", "case_owner")
        .prefetch_related("themes")
        .order_by("-submitted_at", "-pk")[:limit]
    )


def themes() -> list[ThemeRow]:
    """Every theme, most often said first. One query."""
    return [
        ThemeRow(
            theme=theme,
            said=theme.said,
            customers=theme.customers,
            average_score=theme.average_score,
            last_said_at=theme.last_said_at,
            planned=theme.planned or 0,
            done=theme.done or 0,
            told=theme.told or 0,
        )
        for theme in Theme.objects.annotate(
            said=Count("responses"),
            customers=Count("responses__customer", distinct=True),
            average_score=Avg("responses__score"),
            last_said_at=Max("responses__submitted_at"),
            planned=_actions(ActionStatus.PLANNED),
            done=_actions(ActionStatus.DONE),
            told=_actions(ActionStatus.TOLD),
        ).order_by(F("said").desc(), "name")
    ]


def raised_by(theme: Theme) -> QuerySet[Customer]:
    """Exactly the customers who raised a theme: who is told when something was done about it."""
    said = Response.themes.through.objects.filter(theme=theme).values("response__customer_id")
    return Customer.objects.filter(pk__in=said)


def _actions(status: str) -> Subquery:
    counted = Action.objects.filter(theme=OuterRef("pk"), status=status).order_by().values("theme")
    return Subquery(counted.annotate(n=Count("pk")).values("n"))


def _of(survey: Survey | None) -> dict[str, Survey]:
    return {"survey": survey} if survey else {}


def _answers(survey: Survey | None, since: datetime | None) -> QuerySet[Response]:
    answers = Response.objects.filter(**_of(survey)).order_by()
    return answers.filter(submitted_at__gte=since) if since else answers
