from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class SurveyKind(TextChoices):
    NPS = "nps", _("Net promoter score")
    CSAT = "csat", _("Satisfaction")
    CUSTOM = "custom", _("Own questions")


class SurveyStatus(TextChoices):
    DRAFT = "draft", _("Draft")
    OPEN = "open", pgettext_lazy("survey", "Open")
    CLOSED = "closed", pgettext_lazy("survey", "Closed")


class QuestionKind(TextChoices):
    NPS = "nps", _("0 to 10")  # how likely to recommend
    RATING = "rating", _("1 to 5")
    CHOICE = "choice", _("One of several")
    TEXT = "text", _("Words")


class CaseStatus(TextChoices):
    NEW = "new", _("New")
    IN_CONTACT = "in_contact", _("In contact")
    SOLVED = "solved", _("Solved")
    CLOSED = "closed", _("Closed")  # nothing to be done


class ActionStatus(TextChoices):
    PLANNED = "planned", _("Planned")
    DONE = "done", _("Done")
    TOLD = "told", _("Told")  # those who raised it know
    DROPPED = "dropped", _("Dropped")
