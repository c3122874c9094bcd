from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Language(TextChoices):
    ENGLISH = "en", _("English")
    KOREAN = "ko", _("Korean")
    JAPANESE = "ja", _("Japanese")


class ChannelKind(TextChoices):
    PAID = "paid", _("Paid")  # money buys the contact: search, social, affiliates
    ORGANIC = "organic", _("Organic")
    REFERRAL = "referral", _("Referral")
    OFFLINE = "offline", _("Offline")
    UNKNOWN = "unknown", _("Unknown")


class InteractionKind(TextChoices):
    CALL = "call", _("Call")
    EMAIL = "email", pgettext_lazy("interaction", "E-mail")
    CHAT = "chat", _("Chat")
    MEETING = "meeting", _("Meeting")
    VISIT = "visit", _("Store visit")
    NOTE = "note", _("Note")


class Direction(TextChoices):
    INBOUND = "inbound", _("From the customer")
    OUTBOUND = "outbound", _("To the customer")
    INTERNAL = "internal", _("Internal")


class Outcome(TextChoices):
    NONE = "none", _("–")
    REACHED = "reached", _("Reached")
    NO_ANSWER = "no_answer", _("No answer")
    LEFT_MESSAGE = "left_message", _("Left a message")
    RESOLVED = "resolved", _("Resolved")
    COMPLAINT = "complaint", _("Complaint")
    ORDERED = "ordered", _("Ordered")


class FollowUpStatus(TextChoices):
    OPEN = "open", _("Open")
    DONE = "done", _("Done")
    CANCELLED = "cancelled", _("Cancelled")


class Purpose(TextChoices):
    MARKETING = "marketing", _("Offers and news by e-mail")
    SURVEY = "survey", _("Surveys by e-mail")


class ConsentStatus(TextChoices):
    GRANTED = "granted", _("Granted")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class SegmentStatus(TextChoices):
    ACTIVE = "active", _("Active")
    ARCHIVED = "archived", _("Archived")


class ImportState(TextChoices):
    UPLOADED = "uploaded", _("Waiting for the check")
    CHECKING = "checking", _("Checking")
    CHECKED = "checked", _("Checked")  # nothing written yet; a person reads the counts
    QUEUED = "queued", _("Waiting to be applied")
    APPLYING = "applying", _("Applying")
    APPLIED = "applied", _("Applied")
    FAILED = "failed", _("Failed")  # the file itself could not be read; nothing written


class Verdict(TextChoices):
    CREATE = "create", _("Create")
    SAME = "same", _("Same")
    UPDATE = "update", _("Update")
    ERROR = "error", _("Error")


class Correction(TextChoices):
    """What a recorded purchase was changed in; staff are shown a sentence of their own for each."""

    RATE = "rate", "Rate"  # it waited for an exchange rate, and one came
    FACTS = "facts", "Facts"  # day, amount or cost, by an import
    MOVED = "moved", "Moved"  # to the record its customer was merged into
