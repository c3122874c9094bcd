"""Imports: a file is staged and checked first, then applied in chunks that can be resumed."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from customers.choices import ImportState, Verdict


class ImportBatch(models.Model):
    """One uploaded file of purchases, its mapping, its verdicts and how far it has been applied."""

    file_name = models.CharField(_("file"), max_length=255)
    file_path = models.CharField(max_length=500, editable=False)
    sha256 = models.CharField(max_length=64, editable=False)
    source = models.CharField(
        _("source"), max_length=40, help_text=_("The shop system the order ids belong to.")
    )
    mapping = models.JSONField(_("mapping"), default=dict)  # see core.mapping
    state = models.CharField(_("state"), max_length=12, choices=ImportState, default=ImportState.UPLOADED)
    rows = models.PositiveIntegerField(_("rows"), default=0)
    to_create = models.PositiveIntegerField(_("create"), default=0)
    to_update = models.PositiveIntegerField(_("update"), default=0)
    same = models.PositiveIntegerField(_("same"), default=0)
    errors = models.PositiveIntegerField(_("errors"), default=0)
    new_customers = models.PositiveIntegerField(_("new customers"), default=0)
    next_line = models.PositiveIntegerField(
        default=0, editable=False
    )  # every line before it has been applied
    error = models.TextField(_("error"), blank=True)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    uploaded_at = models.DateTimeField(_("uploaded"))
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-uploaded_at"]
        constraints = [
            models.CheckConstraint(name="import_state_known", condition=Q(state__in=ImportState.values)),
            models.CheckConstraint(
                name="import_counts_add_up",
                condition=~Q(
                    state__in=[
                        ImportState.CHECKED,
                        ImportState.QUEUED,
                        ImportState.APPLYING,
                        ImportState.APPLIED,
                    ]
                )
                | Q(rows=F("to_create") + F("to_update") + F("same") + F("errors")),
            ),
        ]

    def __str__(self) -> str:
        return self.file_name


class ImportRow(models.Model):
    """One line of a staged file, as text, with its verdict. An unlogged table: a crash of the server empties it
    and the batch is checked again from its file."""

    batch = models.ForeignKey(
        ImportBatch, on_delete=models.CASCADE, db_constraint=False, related_name="staged"
    )
    line = models.IntegerField()
    cells = models.JSONField()  # field name -> text, after the mapping
    verdict = models.CharField(max_length=8, blank=True, choices=Verdict)
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["batch", "line"], name="import_row_line_once")]
        indexes = [models.Index(fields=["batch", "verdict", "line"], name="import_row_verdict")]
