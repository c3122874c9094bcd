"""What the customer's timeline shows of feedback: being asked, and answering."""

from django.urls import reverse
from django.utils.translation import gettext as _

from customers.core import timeline
from customers.core.timeline import TimelineItem, Told


def _answered(told: Told) -> TimelineItem:
    facts = told.facts
    if facts["score"] is None:
        title = _("Answered %(survey)s") % {"survey": facts["survey"]}
    else:
        title = _("Answered %(survey)s: %(score)s of 10") % {
            "survey": facts["survey"],
            "score": facts["score"],
        }
    return told.item(
        icon="reviews", title=title, detail=facts["comment"], url=reverse("crm:case", args=[told.id])
    )


def _asked(told: Told) -> TimelineItem:
    return told.item(
        icon="contact_support",
        title=_("Invited to %(survey)s") % {"survey": told.facts["survey"]},
        url=reverse("crm:survey", args=[told.facts["survey_id"]]),
    )


def register() -> None:
    """Tell it on every customer's timeline; called once at start-up."""
    timeline.register("feedback/story_responses", kinds=["survey"], words={"response": _answered})
    timeline.register("feedback/story_invitations", kinds=["survey"], words={"invitation": _asked})
