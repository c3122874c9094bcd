"""Asking customers: one invitation each, and the signed link to answer it."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from crm.common import sql, tokens
from crm.common.errors import DomainError
from feedback.choices import SurveyStatus
from feedback.models import Invitation, Survey

PURPOSE = "survey"  # of the tokens in links


class SurveyNotOpen(DomainError):
    code = "survey_not_open"
    message = _("Only an open survey can be sent to customers.")


def invite_many(*, survey: Survey, customers: QuerySet, source: str, at: datetime) -> int:
    """Invite the customers of a queryset, once per ``source``, in one statement; returns how many are new.

    The invitations expire ``survey.valid_days`` after ``at``.

    Raises:
        SurveyNotOpen: the survey is a draft or closed.
    """
    if not Survey.objects.filter(pk=survey.pk, status=SurveyStatus.OPEN).exists():
        raise SurveyNotOpen
    values = {
        "survey": survey.pk,
        "source": source,
        "at": at,
        "expires": at + timedelta(days=survey.valid_days),
    }
    return sql.execute("feedback/invite", values, {"customers": sql.query(customers.values("pk"))})


def answer_path(invitation: Invitation) -> str:
    """The path of the page where the invited customer answers."""
    return reverse("survey", args=[tokens.sign(PURPOSE, invitation.pk)])


def answer_url(invitation: Invitation) -> str:
    """The link for a mail; ``?score=9`` may be appended to preselect a score."""
    return f"{settings.SITE_URL}{answer_path(invitation)}"
