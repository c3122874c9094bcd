from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class CampaignKind(TextChoices):
    WIN_BACK = "win_back", _("Win-back")
    THANKS = "thanks", _("Thanks to the best")
    SECOND_PURCHASE = "second_purchase", _("Second purchase")
    NEWS = "news", _("News")


class Trigger(TextChoices):
    ONCE = "once", _("Once, to who is in the segment at launch")
    ON_ENTRY = "on_entry", _("At launch, then whoever enters the segment")


class CampaignStatus(TextChoices):
    DRAFT = "draft", _("Draft")
    RUNNING = "running", _("Running")
    PAUSED = "paused", _("Paused")
    FINISHED = "finished", _("Finished")
    STOPPED = "stopped", _("Stopped")


class Arm(TextChoices):
    TREATED = "treated", _("Gets the mail")
    CONTROL = "control", _("Held out")


class MessageStatus(TextChoices):
    HELD_OUT = "held_out", _("Held out")  # the control share: never mailed
    PENDING = "pending", _("Waiting")
    CLAIMED = "claimed", _("Claimed")  # a worker's lease; no SMTP yet, so safe to take back
    SENDING = "sending", _("Sending")  # the point of no return
    SENT = "sent", _("Sent")  # the SMTP server took it
    FAILED = "failed", _("Failed")  # the SMTP server refused it for good
    UNKNOWN = "unknown", pgettext_lazy("message", "Unknown")  # the reply was lost: never sent again by itself
    SUPPRESSED = "suppressed", _("Not sent")  # consent gone, address blocked, campaign stopped


class OfferKind(TextChoices):
    PERCENT = "percent", _("Percent off")
    AMOUNT = "amount", _("Amount off")


class CouponStatus(TextChoices):
    RESERVED = "reserved", _("Reserved")  # minted with the message, which has not been sent
    ISSUED = "issued", _("Issued")
    REDEEMED = "redeemed", _("Redeemed")
    CANCELLED = "cancelled", _("Cancelled")


class EngagementKind(TextChoices):
    CLICKED = "clicked", _("Clicked")
    UNSUBSCRIBED = "unsubscribed", _("Unsubscribed")
    REDEEMED = "redeemed", _("Used the coupon")
    ANSWERED = "answered", _("Answered the survey")


class SuppressionReason(TextChoices):
    UNSUBSCRIBED = "unsubscribed", _("Unsubscribed")
    BOUNCED = "bounced", _("Hard bounce")
    COMPLAINED = "complained", _("Complaint")
    BY_STAFF = "by_staff", _("Blocked by staff")
    ERASED = "erased", _("Customer erased")  # so that an import does not bring them back to be mailed


# Why a message was not sent, in words: the codes stand in Message.reason.
REASON_WORDS = {
    "no_address": _("no address"),
    "no_consent": _("never agreed"),
    "withdrawn_before": _("had withdrawn consent"),
    "suppressed_address": _("blocked address"),
    "address_blocked": _("blocked address"),
    "address_changed": _("the address changed"),
    "consent_withdrawn": _("consent was withdrawn"),
    "campaign_stopped": _("the campaign was stopped"),
    "merged": _("two records of one customer were merged"),
    "erased": _("the customer was erased"),
    "gave_up": _("the mail server kept refusing"),
    "reply_lost": _("the mail server's answer was lost"),
    "cannot_be_made": _("the text could not be filled in"),
    "refused_mail": _("the mail server refused the shop's address"),
    "refused_rcpt": _("the mail server refused the customer's address"),
    "refused_data": _("the mail server refused the mail"),
    "refused_dot": _("the mail server refused the mail"),
}
