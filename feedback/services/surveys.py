"""Making surveys, opening and closing them."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from crm.common.errors import DomainError, InvalidInput
from feedback.choices import QuestionKind, SurveyKind, SurveyStatus
from feedback.core.answers import option_value
from feedback.models import Question, Survey


class DuplicateSurvey(DomainError):
    code = "duplicate_survey"
    message = _("A survey with this name exists already.")


class SurveyHasNoQuestions(DomainError):
    code = "survey_has_no_questions"
    message = _("A survey needs at least one question before it can be opened.")


class SurveyClosed(DomainError):
    """A closed survey stays closed: its figures are final."""

    code = "survey_closed"
    message = _("This survey is closed.")


@transaction.atomic
def create_survey(
    *, name: str, kind: str = SurveyKind.NPS, questions: Sequence[Mapping[str, Any]], valid_days: int = 60
) -> Survey:
    """Draft a survey; each question is ``{"kind", "texts": {"en": ...}, "options", "required"}`` in its order.

    Raises:
        DuplicateSurvey: the name is taken.
        InvalidInput: a kind is unknown, a question has no English text, a choice has fewer than two options,
            there are two 0-10 questions, or ``valid_days`` is outside 1 to 365.
    """
    name = name.strip()
    if not name or kind not in SurveyKind.values or not 1 <= valid_days <= 365:
        raise InvalidInput(_("A survey needs a name, a known kind and 1 to 365 days."), field="name")
    for number, question in enumerate(questions):
        _check(number, question)
    if sum(question["kind"] == QuestionKind.NPS for question in questions) > 1:
        raise InvalidInput(_("A survey has at most one 0 to 10 question."), field="questions")
    survey, created = Survey.objects.get_or_create(
        name=name, defaults={"kind": kind, "valid_days": valid_days}
    )
    if not created:
        raise DuplicateSurvey
    Question.objects.bulk_create(
        Question(
            survey=survey,
            position=position,
            kind=question["kind"],
            texts=dict(question["texts"]),
            options=list(question.get("options", [])),
            required=bool(question.get("required", False)),
        )
        for position, question in enumerate(questions, start=1)
    )
    return survey


def _check(number: int, question: Mapping[str, Any]) -> None:
    field = f"questions.{number}"
    if question.get("kind") not in QuestionKind.values:
        raise InvalidInput(_("Unknown kind of question."), field=f"{field}.kind")
    if not str(question.get("texts", {}).get("en", "")).strip():
        raise InvalidInput(_("Every question needs an English text."), field=f"{field}.texts")
    options = question.get("options", [])
    if question["kind"] == QuestionKind.CHOICE and len({option_value(one) for one in options}) < 2:
        raise InvalidInput(_("A choice needs at least two different options."), field=f"{field}.options")


def open_survey(*, survey: Survey) -> Survey:
    """Let customers answer; opening twice is harmless.

    Raises:
        SurveyHasNoQuestions: nothing to ask.
        SurveyClosed: it was closed before.
    """
    if not survey.questions.exists():
        raise SurveyHasNoQuestions
    changed = Survey.objects.filter(pk=survey.pk).exclude(status=SurveyStatus.CLOSED)
    if not changed.update(status=SurveyStatus.OPEN):
        raise SurveyClosed
    survey.status = SurveyStatus.OPEN
    return survey


def close_survey(*, survey: Survey) -> Survey:
    """Stop asking and answering for good; closing twice is harmless."""
    Survey.objects.filter(pk=survey.pk).update(status=SurveyStatus.CLOSED)
    survey.status = SurveyStatus.CLOSED
    return survey
