"""Who hears from us, when, and what came of it. ``Message`` is the ledger: one row a customer a campaign."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from campaigns.choices import (
    Arm,
    CampaignKind,
    CampaignStatus,
    CouponStatus,
    EngagementKind,
    MessageStatus,
    OfferKind,
    SuppressionReason,
    Trigger,
)
from campaigns.querysets import MessageQuerySet
from crm.common.orm import empty_when, filled_when
from customers.choices import Language, Purpose


class Offer(models.Model):
    """What a coupon gives."""

    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("kind"), max_length=8, choices=OfferKind)
    value = models.DecimalField(_("value"), max_digits=12, decimal_places=3)
    currency = models.CharField(
        _("currency"), max_length=3, blank=True, help_text=_("For an amount off; empty for a percentage.")
    )
    minimum_basket = models.DecimalField(_("minimum basket"), max_digits=12, decimal_places=3, default=0)
    valid_days = models.PositiveSmallIntegerField(_("valid, days"), default=30)

    class Meta:
        verbose_name = _("offer")
        verbose_name_plural = _("offers")
        constraints = [
            models.CheckConstraint(name="offer_kind_known", condition=Q(kind__in=OfferKind.values)),
            models.CheckConstraint(
                name="offer_value_fits_kind",
                condition=Q(kind=OfferKind.PERCENT, value__gt=0, value__lte=100, currency="")
                | Q(kind=OfferKind.AMOUNT, value__gt=0, currency__regex=r"^[A-Z]{3}$"),
            ),
            models.CheckConstraint(name="offer_minimum_not_negative", condition=Q(minimum_basket__gte=0)),
            models.CheckConstraint(name="offer_valid_some_days", condition=Q(valid_days__gte=1)),
        ]

    def __str__(self) -> str:
        return self.name


class Campaign(models.Model):
    name = models.CharField(_("name"), max_length=120, unique=True)
    kind = models.CharField(_("kind"), max_length=16, choices=CampaignKind, default=CampaignKind.WIN_BACK)
    segment = models.ForeignKey(
        "customers.Segment", on_delete=models.PROTECT, related_name="campaigns", verbose_name=_("audience")
    )
    trigger = models.CharField(_("who, when"), max_length=10, choices=Trigger, default=Trigger.ONCE)
    purpose = models.CharField(_("purpose"), max_length=12, choices=Purpose, default=Purpose.MARKETING)
    offer = models.ForeignKey(
        Offer,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="campaigns",
        verbose_name=_("offer"),
    )
    survey = models.ForeignKey(
        "feedback.Survey",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="campaigns",
        verbose_name=_("survey"),
    )
    control_share = models.DecimalField(
        _("held out"),
        max_digits=4,
        decimal_places=3,
        default="0.1",
        validators=[MinValueValidator(0), MaxValueValidator(0.5)],
        help_text=_("Share of the audience that gets nothing, so that the effect can be measured."),
    )
    salt = models.CharField(max_length=32, editable=False)  # who is held out: hash(salt, customer)
    status = models.CharField(
        _("status"), max_length=10, choices=CampaignStatus, default=CampaignStatus.DRAFT
    )
    audience_size = models.PositiveIntegerField(_("audience"), default=0)
    ltv_run_id = models.BigIntegerField(
        _("valuation"), null=True, blank=True, help_text=_("The valuation the audience was drawn from.")
    )
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    launched_at = models.DateTimeField(_("launched"), null=True, blank=True)
    launched_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    paused_reason = models.CharField(max_length=240, blank=True)
    resumed_at = models.DateTimeField(null=True, blank=True)  # errors before it no longer pause the campaign

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(name="campaign_kind_known", condition=Q(kind__in=CampaignKind.values)),
            models.CheckConstraint(name="campaign_trigger_known", condition=Q(trigger__in=Trigger.values)),
            models.CheckConstraint(
                name="campaign_status_known", condition=Q(status__in=CampaignStatus.values)
            ),
            models.CheckConstraint(name="campaign_purpose_known", condition=Q(purpose__in=Purpose.values)),
            models.CheckConstraint(
                name="campaign_control_share_range", condition=Q(control_share__gte=0, control_share__lte=0.5)
            ),
            models.CheckConstraint(
                name="campaign_launched_has_time",
                condition=empty_when("launched_at", status=CampaignStatus.DRAFT),
            ),
            models.CheckConstraint(
                name="campaign_end_has_time",
                condition=filled_when(
                    "finished_at", status__in=[CampaignStatus.FINISHED, CampaignStatus.STOPPED]
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Variant(models.Model):
    """A campaign's words in one language. A customer gets their own language, else the first variant's."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="variants")
    language = models.CharField(_("language"), max_length=2, choices=Language)
    subject = models.CharField(_("subject"), max_length=150)
    body = models.TextField(
        _("body"),
        max_length=20000,
        help_text=_("Text with merge fields such as {{ name }}; a blank line starts a paragraph."),
    )

    class Meta:
        verbose_name = _("text")
        verbose_name_plural = _("texts")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "language"], name="variant_once_per_language"),
            models.CheckConstraint(name="variant_language_known", condition=Q(language__in=Language.values)),
            models.CheckConstraint(name="variant_has_words", condition=~Q(subject="") & ~Q(body="")),
        ]

    def __str__(self) -> str:
        return f"{self.get_language_display()}: {self.subject}"


class Enrolment(models.Model):
    """A customer taken into a campaign, and the arm a hash put them in. Never changed afterwards.

    ``merged_from`` is the former record of an enrolment beside the customer's own in the same campaign: kept as
    history, counted in no result.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="enrolments")
    customer = models.ForeignKey("customers.Customer", on_delete=models.CASCADE, related_name="enrolments")
    arm = models.CharField(_("arm"), max_length=8, choices=Arm)
    enrolled_at = models.DateTimeField(_("enrolled"))
    merged_from = models.BigIntegerField(null=True, editable=False)

    class Meta:
        verbose_name = _("enrolment")
        verbose_name_plural = _("enrolments")
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "customer"], condition=Q(merged_from__isnull=True), name="enrolment_once"
            ),
            models.CheckConstraint(name="enrolment_arm_known", condition=Q(arm__in=Arm.values)),
        ]
        indexes = [models.Index(fields=["customer", "-enrolled_at"], name="enrolment_of_customer")]


class Coupon(models.Model):
    """A code for one customer, minted with the message that carries it; redeemed at most once."""

    offer = models.ForeignKey(Offer, on_delete=models.PROTECT, related_name="coupons")
    enrolment = models.OneToOneField(Enrolment, on_delete=models.CASCADE, related_name="coupon")
    customer = models.ForeignKey("customers.Customer", on_delete=models.CASCADE, related_name="coupons")
    code = models.CharField(_("code"), max_length=24, unique=True)
    status = models.CharField(_("status"), max_length=10, choices=CouponStatus, default=CouponStatus.RESERVED)
    expires_at = models.DateTimeField(_("expires"))
    redeemed_at = models.DateTimeField(_("redeemed"), null=True, blank=True)
    order_ref = models.CharField(_("order id"), max_length=100, blank=True)

    class Meta:
        verbose_name = _("coupon")
        verbose_name_plural = _("coupons")
        constraints = [
            models.CheckConstraint(name="coupon_status_known", condition=Q(status__in=CouponStatus.values)),
            models.CheckConstraint(
                name="coupon_redeemed_has_time",
                condition=filled_when("redeemed_at", status=CouponStatus.REDEEMED),
            ),
        ]
        indexes = [models.Index(fields=["customer", "-expires_at"], name="coupon_of_customer")]

    def __str__(self) -> str:
        return self.code


class Message(models.Model):
    """One customer's mail of one campaign, or the fact that there is none. At most one DATA is ever started.

    pending -> claimed -> sending -> sent | failed | unknown; suppressed and held_out are ends as well.
    """

    campaign = models.ForeignKey(
        Campaign, on_delete=models.PROTECT, related_name="messages", verbose_name=_("campaign")
    )
    enrolment = models.OneToOneField(Enrolment, on_delete=models.CASCADE, related_name="message")
    customer = models.ForeignKey(
        "customers.Customer", on_delete=models.CASCADE, related_name="messages", verbose_name=_("customer")
    )
    variant = models.ForeignKey(
        Variant, null=True, on_delete=models.PROTECT, related_name="messages", verbose_name=_("text")
    )
    invitation = models.ForeignKey(
        "feedback.Invitation", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    address = models.CharField(_("address"), max_length=254, blank=True)  # normalised, as it was at enrolment
    address_hash = models.CharField(
        max_length=64, blank=True, editable=False
    )  # what suppressions are kept under
    status = models.CharField(
        _("status"), max_length=10, choices=MessageStatus, default=MessageStatus.PENDING
    )
    reason = models.CharField(_("reason"), max_length=40, blank=True)  # why suppressed or failed, a code
    smtp_reply = models.CharField(_("reply of the mail server"), max_length=300, blank=True)
    message_id = models.CharField(
        _("Message-ID"), max_length=160, null=True, unique=True
    )  # fixed at enrolment
    due_at = models.DateTimeField(_("due"))
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    lease_token = models.BigIntegerField(null=True)
    leased_until = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    resent_at = models.DateTimeField(
        _("sent again"), null=True, blank=True
    )  # staff's decision about an unknown
    resent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    merged_from = models.BigIntegerField(null=True, editable=False)  # as its enrolment's

    objects = MessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "customer"],
                condition=Q(merged_from__isnull=True),
                name="message_once_per_customer",
            ),
            models.UniqueConstraint(
                fields=["campaign", "address"],
                condition=~Q(address=""),
                name="message_once_per_address",
            ),
            models.CheckConstraint(name="message_status_known", condition=Q(status__in=MessageStatus.values)),
            models.CheckConstraint(
                name="message_sent_has_time",
                condition=filled_when("sent_at", status=MessageStatus.SENT),
            ),
            models.CheckConstraint(
                name="message_at_work_has_lease",
                condition=Q(
                    status__in=[MessageStatus.CLAIMED, MessageStatus.SENDING],
                    lease_token__isnull=False,
                    leased_until__isnull=False,
                )
                | ~Q(status__in=[MessageStatus.CLAIMED, MessageStatus.SENDING]),
            ),
            models.CheckConstraint(
                # at its end a message may lose the address: its customer was erased
                name="message_mailable_is_complete",
                condition=Q(status__in=[MessageStatus.HELD_OUT, MessageStatus.SUPPRESSED])
                | Q(
                    status__in=[MessageStatus.SENT, MessageStatus.FAILED, MessageStatus.UNKNOWN],
                    variant__isnull=False,
                    message_id__isnull=False,
                )
                | (~Q(address="") & ~Q(address_hash="") & Q(variant__isnull=False, message_id__isnull=False)),
            ),
            models.CheckConstraint(
                name="message_suppressed_has_reason",
                condition=~Q(status__in=[MessageStatus.SUPPRESSED, MessageStatus.FAILED]) | ~Q(reason=""),
            ),
        ]
        indexes = [
            models.Index(fields=["due_at", "id"], name="message_due", condition=Q(status="pending")),
            models.Index(
                fields=["leased_until"], name="message_leased", condition=Q(status__in=["claimed", "sending"])
            ),
            models.Index(fields=["campaign", "status"], name="message_states"),
            models.Index(fields=["customer", "-due_at"], name="message_of_customer"),
        ]

    def __str__(self) -> str:
        return self.address or "–"


class Engagement(models.Model):
    """What a customer did with a mail. Opens are not kept: machines open mails."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="engagements")
    kind = models.CharField(_("kind"), max_length=12, choices=EngagementKind)
    happened_at = models.DateTimeField(_("when"))
    url = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="engagement_kind_known", condition=Q(kind__in=EngagementKind.values))
        ]
        indexes = [models.Index(fields=["message", "happened_at"], name="engagement_of_message")]


class Suppression(models.Model):
    """An address never to be mailed, kept as a keyed hash so that it survives the customer's erasure."""

    address_hash = models.CharField(max_length=64)
    purpose = models.CharField(_("purpose"), max_length=12, blank=True, help_text=_("Empty: every purpose."))
    reason = models.CharField(_("reason"), max_length=12, choices=SuppressionReason)
    detail = models.CharField(max_length=240, blank=True)
    created_at = models.DateTimeField(_("since"))
    lifted_at = models.DateTimeField(_("lifted"), null=True, blank=True)
    lifted_reason = models.CharField(max_length=240, blank=True)

    class Meta:
        verbose_name = _("suppression")
        verbose_name_plural = _("suppressions")
        constraints = [
            models.UniqueConstraint(
                fields=["address_hash", "purpose"],
                condition=Q(lifted_at__isnull=True),
                name="suppression_one_open",
            ),
            models.CheckConstraint(
                name="suppression_reason_known", condition=Q(reason__in=SuppressionReason.values)
            ),
            models.CheckConstraint(
                name="suppression_lift_has_reason", condition=Q(lifted_at__isnull=True) | ~Q(lifted_reason="")
            ),
        ]


class MailboxMessage(models.Model):
    """A mail the embedded SMTP mailbox took, exactly as it came over the wire."""

    received_at = models.DateTimeField(_("received"))
    envelope_from = models.CharField(max_length=254)
    recipients = ArrayField(models.CharField(max_length=254))
    message_id = models.CharField(max_length=200, blank=True, db_index=True)
    subject = models.CharField(_("subject"), max_length=500, blank=True)
    raw = models.BinaryField()

    class Meta:
        verbose_name = _("mail")
        verbose_name_plural = _("outbox")
        ordering = ["-received_at", "-pk"]
        indexes = [models.Index(fields=["-received_at", "-id"], name="mailbox_newest")]

    def __str__(self) -> str:
        return self.subject
