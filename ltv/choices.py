from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class RunState(TextChoices):
    BUILDING = "building", _("Building")
    PUBLISHED = "published", _("Published")  # was, or is, what readers see
    ABANDONED = "abandoned", _("Abandoned")  # killed or refused by a gate; its table is gone


class ModelStep(TextChoices):
    """Which step of the ladder a run's predictions stand on."""

    OWN_FIT = "own_fit", _("Fits last night's data")
    LAST_GOOD = "last_good", _("The last good fit")
    POOLED = "pooled", _("Fitted with a cautious prior")
    FORMULA = "formula", _("Formula only: too little data for a model")


class Light(TextChoices):
    """The verdict of a report card; the values are those of ``ltv.core.verdict``."""

    GREEN = "green", _("The forecast holds")
    AMBER = "amber", _("With care")
    RED = "red", _("Do not rely on it")


class Cause(TextChoices):
    """Why a past night comes out otherwise today: the input that was corrected since."""

    PURCHASES = "purchases", _("Purchases recorded since")
    REFUNDS = "refunds", _("Refunds recorded since")
    RATES = "rates", _("Exchange rates that came since")
    FACTS = "facts", _("Purchases corrected since, in day, amount or cost")
    MERGED = "merged", _("Customers merged since")
    SHARED = "shared", _("Customers compared with all the others, some of whom were corrected")
    ERASED = "erased", _("Customers erased since; their purchases stay, so their figures do too")
    UNKNOWN = "unknown", _("No corrected input explains it")
