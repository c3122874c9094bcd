"""Segments: rules over what is known of a customer, and who was in them when."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers.choices import SegmentStatus
from customers.core.builtin import is_ours


class Segment(models.Model):
    """A named rule. ``rule`` is the tree described in ``core.rules``; members are kept by the night."""

    key = models.SlugField(_("key"), max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=120, unique=True)
    description = models.CharField(_("description"), max_length=300, blank=True)
    rule = models.JSONField(_("rule"))
    rule_version = models.PositiveIntegerField(default=1)
    status = models.CharField(_("status"), max_length=12, choices=SegmentStatus, default=SegmentStatus.ACTIVE)
    member_count = models.PositiveIntegerField(_("members"), default=0)
    evaluated_at = models.DateTimeField(_("as of"), null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        verbose_name = _("segment")
        verbose_name_plural = _("segments")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(name="segment_status_known", condition=Q(status__in=SegmentStatus.values)),
            models.CheckConstraint(name="segment_has_name", condition=~Q(name="")),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        """The name: in the reader's language where it is the one we gave, else as staff wrote it."""
        return in_words(self.key, self.name)

    @property
    def about(self) -> str:
        """The description, as the name."""
        return in_words(self.key, self.description)


def in_words(key: str, text: str) -> str:
    """The name or description of the segment called ``key`` as the reader should see it."""
    return gettext(text) if is_ours(key, text) else text


class SegmentMembership(models.Model):
    """A stay in a segment. Open while ``left_at`` is empty."""

    # No index of their own: membership_entered begins with the one and membership_of_customer with the other. No
    # foreign keys in PostgreSQL: a night writes millions; triggers on the other side delete the stays of what goes.
    segment = models.ForeignKey(
        Segment, on_delete=models.CASCADE, related_name="memberships", db_index=False, db_constraint=False
    )
    customer = models.ForeignKey(
        "customers.Customer",
        on_delete=models.CASCADE,
        related_name="memberships",
        db_index=False,
        db_constraint=False,
    )
    entered_at = models.DateTimeField(_("entered"))
    left_at = models.DateTimeField(_("left"), null=True, blank=True)
    rule_version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [
            models.UniqueConstraint(
                fields=["segment", "customer"], condition=Q(left_at__isnull=True), name="membership_one_open"
            ),
            models.CheckConstraint(
                name="membership_leaves_after",
                condition=Q(left_at__isnull=True) | Q(left_at__gte=F("entered_at")),
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "-entered_at"], name="membership_of_customer"),
            models.Index(fields=["segment", "entered_at"], name="membership_entered"),
            models.Index(
                fields=["segment", "left_at"], name="membership_left", condition=Q(left_at__isnull=False)
            ),
        ]
