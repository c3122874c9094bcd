"""What the customer's timeline shows of feedback: being asked, and answering."""

from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from customers.core import timeline
from customers.core.timeline import TimelineItem
from feedback.models import Invitation, Response


def items(customer_id: int, before: datetime | None, limit: int) -> list[TimelineItem]:
    """The newest answers and invitations of one customer, newest first. Two queries."""
    answers = Response.objects.filter(customer_id=customer_id).select_related("survey")
    asked = Invitation.objects.filter(customer_id=customer_id).select_related("survey")
    if before is not None:
        answers, asked = answers.filter(submitted_at__lt=before), asked.filter(invited_at__lt=before)
    found = [_answered(one) for one in answers.order_by("-submitted_at", "-pk")[:limit]]
    found += [_asked(one) for one in asked.order_by("-invited_at", "-pk")[:limit]]
    return sorted(found, key=lambda item: (-item.at.timestamp(), item.key))[:limit]


def _answered(response: Response) -> TimelineItem:
    if response.score is None:
        title = _("Answered %(survey)s") % {"survey": response.survey}
    else:
        title = _("Answered %(survey)s: %(score)s of 10") % {
            "survey": response.survey,
            "score": response.score,
        }
    return TimelineItem(
        at=response.submitted_at,
        kind="survey",
        icon="reviews",
        title=title,
        detail=response.comment,
        url=reverse("crm:case", args=[response.pk]),
        key=f"response:{response.pk}",
    )


def _asked(invitation: Invitation) -> TimelineItem:
    return TimelineItem(
        at=invitation.invited_at,
        kind="survey",
        icon="contact_support",
        title=_("Invited to %(survey)s") % {"survey": invitation.survey},
        url=reverse("crm:survey", args=[invitation.survey_id]),
        key=f"invitation:{invitation.pk}",
    )


def register() -> None:
    """Tell it on every customer's timeline; called once at start-up."""
    timeline.register("feedback", items, kinds={"survey"})
