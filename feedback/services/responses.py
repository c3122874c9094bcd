"""Taking what customers answer."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.common.errors import DomainError
from feedback.choices import QuestionKind, SurveyStatus
from feedback.core.answers import Asked, BadAnswer, Given, option_value, read
from feedback.events import survey_answered
from feedback.models import Answer, Invitation, Question, Response

EDIT_WINDOW = timedelta(hours=24)

# question id -> what was given
Givens = dict[int, Given]


class InvitationExpired(DomainError):
    code = "invitation_expired"
    status = 410
    message = _("This survey has ended.")


class AlreadyAnswered(DomainError):
    code = "already_answered"
    message = _("This survey was answered, and the time to change the answer has passed.")


class InvalidAnswers(DomainError):
    """Some answers do not fit; ``detail["errors"]`` maps question ids (0: the whole form) to codes."""

    code = "invalid_answers"
    status = 400
    message = _("Some answers do not fit their questions.")


def may_answer(invitation: Invitation, at: datetime) -> bool:
    """A first answer is taken while the survey is open and the invitation has not expired."""
    return invitation.survey.status == SurveyStatus.OPEN and at < invitation.expires_at


def may_edit(response: Response, at: datetime) -> bool:
    """An answer may be changed for 24 hours after it was first sent."""
    return at < response.submitted_at + EDIT_WINDOW


@transaction.atomic
def submit(*, invitation: Invitation, answers: Mapping[int, object], language: str, at: datetime) -> Response:
    """Store what an invited customer answered: once, changeable for 24 hours, harmless when repeated.

    The answers replace earlier ones as a whole. ``events.survey_answered`` is sent with the first answer only.

    Raises:
        InvitationExpired: too late for a first answer, the survey is not open, or the customer was erased.
        AlreadyAnswered: other answers than before, later than 24 hours.
        InvalidAnswers: an answer does not fit its question, a required one is missing, or all are empty.
    """
    # The row lock lets one of many simultaneous submits be the first.
    locked = Invitation.objects.select_for_update(of=("self",)).select_related("survey", "customer")
    invitation = locked.get(pk=invitation.pk)
    response = Response.objects.filter(invitation=invitation).first()
    erased = invitation.customer.erased_at is not None
    if erased or (response is None and not may_answer(invitation, at)):
        raise InvitationExpired
    questions = list(invitation.survey.questions.all())
    given = _read_all(questions, answers)
    if response is None:
        return _first(invitation, questions, given, language, at)
    return _again(response, questions, given, language, at)


def _read_all(questions: list[Question], answers: Mapping[int, object]) -> Givens:
    given: Givens = {}
    errors: dict[int, str] = {}
    for question in questions:
        asked = Asked(question.kind, question.required, tuple(map(option_value, question.options)))
        try:
            answer = read(asked, answers.get(question.pk))
        except BadAnswer as error:
            errors[question.pk] = error.code
            continue
        if answer is not None:
            given[question.pk] = answer
    if unknown := set(answers) - {question.pk for question in questions}:
        errors |= dict.fromkeys(unknown, "option")
    if not given and not errors:
        errors[0] = "nothing"
    if errors:
        raise InvalidAnswers(errors=errors)
    return given


def _summary(questions: list[Question], given: Givens) -> tuple[int | None, str]:
    """The 0-10 score and the first words: what lists and rules ask for."""
    score = next(
        (given[q.pk].number for q in questions if q.kind == QuestionKind.NPS and q.pk in given), None
    )
    words = next((given[q.pk].text for q in questions if q.kind == QuestionKind.TEXT and q.pk in given), "")
    return score, words


def _first(
    invitation: Invitation, questions: list[Question], given: Givens, language: str, at: datetime
) -> Response:
    score, comment = _summary(questions, given)
    response = Response.objects.create(
        invitation=invitation,
        survey=invitation.survey,
        customer_id=invitation.customer_id,
        score=score,
        comment=comment,
        language=language[:2],
        submitted_at=at,
    )
    _write(response, given)
    survey_answered.send(sender=Response, response=response, at=at)
    return response


def _again(
    response: Response, questions: list[Question], given: Givens, language: str, at: datetime
) -> Response:
    before = {answer.question_id: Given(answer.number, answer.text) for answer in response.answers.all()}
    if given == before:
        return response
    if not may_edit(response, at):
        raise AlreadyAnswered
    response.score, response.comment = _summary(questions, given)
    response.language, response.edited_at = language[:2], at
    response.save(update_fields=["score", "comment", "language", "edited_at"])
    response.answers.exclude(Q(question_id__in=given)).delete()
    _write(response, given)
    return response


def _write(response: Response, given: Givens) -> None:
    Answer.objects.bulk_create(
        [
            Answer(response=response, question_id=question_id, number=one.number, text=one.text)
            for question_id, one in given.items()
        ],
        update_conflicts=True,
        unique_fields=["response", "question"],
        update_fields=["number", "text"],
    )
