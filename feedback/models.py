"""Surveys, who was asked, what they said, what it is about, and what was done."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from crm.common.orm import filled_when
from feedback.choices import ActionStatus, CaseStatus, QuestionKind, SurveyKind, SurveyStatus


class Survey(models.Model):
    name = models.CharField(_("name"), max_length=120, unique=True)
    kind = models.CharField(_("kind"), max_length=8, choices=SurveyKind, default=SurveyKind.NPS)
    status = models.CharField(_("status"), max_length=8, choices=SurveyStatus, default=SurveyStatus.DRAFT)
    valid_days = models.PositiveSmallIntegerField(_("open for, days"), default=60)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("survey")
        verbose_name_plural = _("surveys")
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(name="survey_kind_known", condition=Q(kind__in=SurveyKind.values)),
            models.CheckConstraint(name="survey_status_known", condition=Q(status__in=SurveyStatus.values)),
            models.CheckConstraint(
                name="survey_valid_days_range", condition=Q(valid_days__gte=1, valid_days__lte=365)
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Question(models.Model):
    """One question; ``texts`` holds it per language, with English as the one every survey has."""

    survey = models.ForeignKey(Survey, on_delete=models.CASCADE, related_name="questions")
    position = models.PositiveSmallIntegerField(_("position"))
    kind = models.CharField(_("kind"), max_length=8, choices=QuestionKind)
    texts = models.JSONField(
        _("question"), help_text=_('Per language: {"en": "...", "ko": "...", "ja": "..."}')
    )
    options = models.JSONField(_("options"), default=list, blank=True)
    required = models.BooleanField(_("required"), default=False)

    class Meta:
        verbose_name = _("question")
        verbose_name_plural = _("questions")
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["survey", "position"], name="question_position_once"),
            models.UniqueConstraint(fields=["survey"], condition=Q(kind="nps"), name="question_one_nps"),
            models.CheckConstraint(name="question_kind_known", condition=Q(kind__in=QuestionKind.values)),
            models.CheckConstraint(name="question_has_english", condition=Q(texts__has_key="en")),
        ]

    def __str__(self) -> str:
        return str(self.texts.get("en", ""))

    def text_in(self, language: str) -> str:
        """The question in ``language``, else in English."""
        return str(self.texts.get(language) or self.texts["en"])


class Invitation(models.Model):
    """One customer asked once; ``source`` names what asked ("campaign:12").

    ``merged_from`` is the former record of an invitation beside the customer's own from the same source.
    """

    survey = models.ForeignKey(Survey, on_delete=models.CASCADE, related_name="invitations")
    customer = models.ForeignKey("customers.Customer", on_delete=models.CASCADE, related_name="invitations")
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    source = models.CharField(_("source"), max_length=60)
    invited_at = models.DateTimeField(_("invited"))
    expires_at = models.DateTimeField(_("expires"))
    merged_from = models.BigIntegerField(null=True, editable=False)

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        constraints = [
            models.UniqueConstraint(
                fields=["survey", "customer", "source"],
                condition=Q(merged_from__isnull=True),
                name="invitation_once_per_source",
            ),
            models.CheckConstraint(name="invitation_ends_after", condition=Q(expires_at__gt=F("invited_at"))),
        ]
        indexes = [models.Index(fields=["customer", "-invited_at"], name="invitation_of_customer")]


class Response(models.Model):
    """What one invited customer answered. ``score`` repeats the NPS answer so that rules can ask for it."""

    invitation = models.OneToOneField(Invitation, on_delete=models.CASCADE, related_name="response")
    survey = models.ForeignKey(Survey, on_delete=models.CASCADE, related_name="responses")
    customer = models.ForeignKey("customers.Customer", on_delete=models.CASCADE, related_name="responses")
    score = models.PositiveSmallIntegerField(_("score"), null=True, blank=True)
    comment = models.TextField(_("words"), blank=True, max_length=5000)
    language = models.CharField(max_length=2, blank=True)
    submitted_at = models.DateTimeField(_("answered"))
    edited_at = models.DateTimeField(null=True, blank=True)
    case_status = models.CharField(_("case"), max_length=12, choices=CaseStatus, default=CaseStatus.NEW)
    case_owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="feedback_cases",
    )
    themes = models.ManyToManyField("feedback.Theme", blank=True, related_name="responses")

    class Meta:
        verbose_name = _("response")
        verbose_name_plural = _("responses")
        ordering = ["-submitted_at"]
        constraints = [
            models.CheckConstraint(
                name="response_score_range", condition=Q(score__isnull=True) | Q(score__gte=0, score__lte=10)
            ),
            models.CheckConstraint(
                name="response_case_known", condition=Q(case_status__in=CaseStatus.values)
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "-submitted_at"], name="response_of_customer"),
            models.Index(fields=["survey", "-submitted_at", "-id"], name="response_of_survey"),
        ]

    def __str__(self) -> str:
        return f"{self.survey}: {self.score if self.score is not None else '–'}"


class Answer(models.Model):
    response = models.ForeignKey(Response, on_delete=models.CASCADE, related_name="answers")
    question = models.ForeignKey(Question, on_delete=models.PROTECT, related_name="answers")
    number = models.SmallIntegerField(null=True, blank=True)
    text = models.TextField(blank=True, max_length=5000)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["response", "question"], name="answer_once"),
            models.CheckConstraint(
                name="answer_says_something", condition=Q(number__isnull=False) | ~Q(text="")
            ),
        ]


class Theme(models.Model):
    """What several customers say, in staff's words."""

    name = models.CharField(_("name"), max_length=120, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("theme")
        verbose_name_plural = _("themes")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Action(models.Model):
    """What the shop does about a theme, and whether those who raised it were told."""

    theme = models.ForeignKey(Theme, on_delete=models.PROTECT, related_name="actions")
    text = models.CharField(_("what we do"), max_length=240)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="feedback_actions",
    )
    due_on = models.DateField(_("due"))
    status = models.CharField(_("status"), max_length=8, choices=ActionStatus, default=ActionStatus.PLANNED)
    done_at = models.DateTimeField(_("done"), null=True, blank=True)

    class Meta:
        verbose_name = _("action")
        verbose_name_plural = _("actions")
        ordering = ["due_on"]
        constraints = [
            models.CheckConstraint(name="action_status_known", condition=Q(status__in=ActionStatus.values)),
            models.CheckConstraint(
                name="action_done_has_time",
                condition=filled_when("done_at", status__in=[ActionStatus.DONE, ActionStatus.TOLD]),
            ),
        ]

    def __str__(self) -> str:
        return self.text
