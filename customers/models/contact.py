"""What staff and customer said to each other, and what is to be done next."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.common.orm import empty_when
from customers.choices import Direction, FollowUpStatus, InteractionKind, Outcome
from customers.querysets import FollowUpQuerySet


class Interaction(models.Model):
    customer = models.ForeignKey("customers.Customer", on_delete=models.CASCADE, related_name="interactions")
    kind = models.CharField(_("kind"), max_length=12, choices=InteractionKind)
    direction = models.CharField(_("direction"), max_length=12, choices=Direction, default=Direction.OUTBOUND)
    outcome = models.CharField(_("outcome"), max_length=16, choices=Outcome, default=Outcome.NONE)
    note = models.TextField(_("note"), max_length=5000)
    staff = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="interactions",
        verbose_name=_("staff member"),
    )
    occurred_at = models.DateTimeField(_("when"))
    recorded_at = models.DateTimeField(_("recorded"))

    class Meta:
        verbose_name = _("interaction")
        verbose_name_plural = _("interactions")
        constraints = [
            models.CheckConstraint(
                name="interaction_kind_known", condition=Q(kind__in=InteractionKind.values)
            ),
            models.CheckConstraint(
                name="interaction_direction_known", condition=Q(direction__in=Direction.values)
            ),
            models.CheckConstraint(name="interaction_outcome_known", condition=Q(outcome__in=Outcome.values)),
            models.CheckConstraint(name="interaction_has_note", condition=~Q(note="")),
        ]
        indexes = [models.Index(fields=["customer", "-occurred_at", "-id"], name="interaction_timeline")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.occurred_at:%Y-%m-%d}"


class FollowUp(models.Model):
    """The next step promised to a customer."""

    customer = models.ForeignKey("customers.Customer", on_delete=models.CASCADE, related_name="follow_ups")
    interaction = models.ForeignKey(
        Interaction, null=True, blank=True, on_delete=models.SET_NULL, related_name="follow_ups"
    )
    text = models.CharField(_("next step"), max_length=240)
    due_on = models.DateField(_("due"))
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="follow_ups"
    )
    status = models.CharField(_("status"), max_length=12, choices=FollowUpStatus, default=FollowUpStatus.OPEN)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)

    objects = FollowUpQuerySet.as_manager()

    class Meta:
        verbose_name = _("follow-up")
        verbose_name_plural = _("follow-ups")
        constraints = [
            models.CheckConstraint(
                name="follow_up_status_known", condition=Q(status__in=FollowUpStatus.values)
            ),
            models.CheckConstraint(name="follow_up_has_text", condition=~Q(text="")),
            models.CheckConstraint(
                name="follow_up_closed_has_time",
                condition=empty_when("closed_at", status=FollowUpStatus.OPEN),
            ),
        ]
        indexes = [
            models.Index(fields=["due_on", "id"], name="follow_up_open", condition=Q(status="open")),
            models.Index(fields=["customer", "-due_on"], name="follow_up_customer"),
        ]

    def __str__(self) -> str:
        return self.text
