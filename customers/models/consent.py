"""Consent: who may be contacted for what, since when, and how we know."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers.choices import ConsentStatus, Purpose

ERASURE = "erasure"  # the source that is nobody's words


def source_in_words(source: str) -> str:
    """Where it was said, as the reader should see it."""
    return gettext("Customer erased") if source == ERASURE else source


class Consent(models.Model):
    """One dated statement of a customer about one purpose. Append-only: a change supersedes, never edits."""

    customer = models.ForeignKey("customers.Customer", on_delete=models.CASCADE, related_name="consents")
    purpose = models.CharField(_("purpose"), max_length=12, choices=Purpose)
    status = models.CharField(_("status"), max_length=12, choices=ConsentStatus)
    source = models.CharField(
        _("source"),
        max_length=80,
        help_text=_("Where it was said: checkout form, unsubscribe link, phone call."),
    )
    wording = models.TextField(_("wording"), blank=True, help_text=_("The text the customer agreed to."))
    stated_at = models.DateTimeField(_("stated"))
    recorded_at = models.DateTimeField(_("recorded"))
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("recorded by"),
    )
    superseded_at = models.DateTimeField(_("replaced"), null=True, blank=True)

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "purpose"],
                condition=Q(superseded_at__isnull=True),
                name="consent_one_current",
            ),
            models.CheckConstraint(name="consent_purpose_known", condition=Q(purpose__in=Purpose.values)),
            models.CheckConstraint(name="consent_status_known", condition=Q(status__in=ConsentStatus.values)),
            models.CheckConstraint(name="consent_has_source", condition=~Q(source="")),
            models.CheckConstraint(
                name="consent_grant_has_wording", condition=~Q(status=ConsentStatus.GRANTED) | ~Q(wording="")
            ),
        ]
        indexes = [models.Index(fields=["customer", "-stated_at"], name="consent_history")]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()}: {self.get_status_display()}"

    @property
    def source_in_words(self) -> str:
        """Where it was said, as the reader should see it."""
        return source_in_words(self.source)
