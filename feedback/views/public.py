"""The page where an invited customer answers. Showing it changes nothing: mail scanners open every link."""

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from crm.common import tokens
from crm.common.models import Shop
from crm.common.public import public_page
from feedback.choices import QuestionKind
from feedback.core.answers import MAX_TEXT, SCALES, option_text, option_value
from feedback.core.words import words
from feedback.models import Invitation, Question, Response
from feedback.services import responses
from feedback.services.invitations import PURPOSE


@dataclass(frozen=True)
class Field:
    """One question as the template draws it."""

    question: Question
    name: str
    text: str
    value: str
    error: str
    choices: list[tuple[str, str]] = field(default_factory=list)
    least: str = ""
    most: str = ""


# The signed token is the authority: there is no session whose cookie a forged form could use.
@csrf_exempt
@public_page(per_minute=60)
@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: HttpRequest, token: str) -> HttpResponse:
    """Show the questions (a score in the link is preselected), or take the answers."""
    invitation = _invitation(token)
    if isinstance(invitation, str):
        return _notice(request, invitation)
    return _take(request, token, invitation) if request.method == "POST" else _show(request, invitation)


@public_page(per_minute=60)
@require_safe
def thanks(request: HttpRequest, token: str) -> HttpResponse:
    """The page after sending: safe to reload, and the way back to change the answer."""
    invitation = _invitation(token)
    if isinstance(invitation, str):
        return _notice(request, invitation)
    response = _response(invitation)
    if response is None:
        return redirect("survey", token=token)
    context = _context(invitation) | {
        "token": token,
        "score": response.score,
        "editable": responses.may_edit(response, timezone.now()),
    }
    return render(request, "feedback/public/thanks.html", context)


def _invitation(token: str) -> Invitation | str:
    """The invitation of a genuine token, else which notice to show; a forged one never reaches the database."""
    try:
        invitation_id = tokens.read(PURPOSE, token)[0]
    except tokens.BadToken:
        return "unknown"
    with_all = Invitation.objects.select_related("survey", "customer", "response")
    return with_all.filter(pk=invitation_id).first() or "expired"


def _response(invitation: Invitation) -> Response | None:
    return getattr(invitation, "response", None)


def _show(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    response, now = _response(invitation), timezone.now()
    if response is None and not responses.may_answer(invitation, now):
        return _notice(request, "expired", invitation)
    if response is not None and not responses.may_edit(response, now):
        return _notice(request, "already", invitation)
    given = _given(response) if response else {}
    return _form(request, invitation, given, preselected=request.GET.get("score", ""))


def _take(request: HttpRequest, token: str, invitation: Invitation) -> HttpResponse:
    sent: dict[int, object] = {
        int(name[1:]): value
        for name, value in request.POST.items()
        if name[:1] == "q" and name[1:].isascii() and name[1:].isdigit() and len(name) < 19
    }
    language = invitation.customer.language
    try:
        responses.submit(invitation=invitation, answers=sent, language=language, at=timezone.now())
    except responses.InvitationExpired:
        return _notice(request, "expired", invitation)
    except responses.AlreadyAnswered:
        return _notice(request, "already", invitation)
    except responses.InvalidAnswers as refusal:
        return _form(request, invitation, sent, errors=refusal.detail["errors"])
    answer = redirect("survey_thanks", token=token)
    answer.status_code = HTTPStatus.SEE_OTHER
    return answer


def _given(response: Response) -> dict[int, object]:
    return {one.question_id: one.text if one.number is None else one.number for one in response.answers.all()}


def _form(
    request: HttpRequest,
    invitation: Invitation,
    given: dict[int, object],
    *,
    errors: Any = None,
    preselected: str = "",
) -> HttpResponse:
    errors, context = errors or {}, _context(invitation)
    questions = list(invitation.survey.questions.all())
    given = given | _preselect(questions, preselected)
    context |= {
        "fields": [_field(question, given, errors, context) for question in questions],
        "whole_error": context["words"]["nothing"] if 0 in errors else "",
        "errors": errors,
        "editing": _response(invitation) is not None,
        "max_text": MAX_TEXT,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK
    return render(request, "feedback/public/survey.html", context, status=status)


def _preselect(questions: list[Question], score: str) -> dict[int, object]:
    """The score tapped in the mail, for the first question on a scale that has it."""
    first = next((question for question in questions if question.kind in SCALES), None)
    if first is None or score not in map(str, SCALES[first.kind]):
        return {}
    return {first.pk: score}


def _field(
    question: Question, given: dict[int, object], errors: dict[int, str], context: dict[str, Any]
) -> Field:
    language, fixed = context["language"], context["words"]
    ends = {QuestionKind.NPS: ("least", "most"), QuestionKind.RATING: ("worst", "best")}
    least, most = ends.get(QuestionKind(question.kind), ("", ""))
    if question.kind in SCALES:
        choices = [(str(number), str(number)) for number in SCALES[question.kind]]
    else:
        choices = [(option_value(one), option_text(one, language)) for one in question.options]
    return Field(
        question=question,
        name=f"q{question.pk}",
        text=question.text_in(language),
        value=str(given.get(question.pk, "")),
        error=fixed[errors[question.pk]] if question.pk in errors else "",
        choices=choices,
        least=fixed.get(least, ""),
        most=fixed.get(most, ""),
    )


def _context(invitation: Invitation) -> dict[str, Any]:
    language = invitation.customer.language
    return {"language": language, "words": words(language), "shop_name": Shop.current().name}


_STATUS = {"unknown": HTTPStatus.NOT_FOUND, "expired": HTTPStatus.GONE, "already": HTTPStatus.OK}


def _notice(request: HttpRequest, name: str, invitation: Invitation | None = None) -> HttpResponse:
    """A page with one message; without an invitation in the browser's language and without a query."""
    if invitation is None:
        language = getattr(request, "LANGUAGE_CODE", "en")
        context: dict[str, Any] = {"language": language, "words": words(language)}
    else:
        context = _context(invitation)
    context |= {"heading": context["words"][f"{name}_title"], "text": context["words"][f"{name}_text"]}
    return render(request, "public/notice.html", context, status=_STATUS[name])
