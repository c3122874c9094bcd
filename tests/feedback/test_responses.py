from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction

from feedback.choices import SurveyStatus
from feedback.events import survey_answered
from feedback.models import Answer, Response
from feedback.services import responses, surveys


@pytest.fixture
def heard() -> Iterator[list[tuple[int, bool]]]:
    """What receivers of the event saw: the response's score, and whether they were inside its transaction."""
    seen: list[tuple[int, bool]] = []

    def listen(response, **_):
        seen.append((response.score, connection.in_atomic_block))

    survey_answered.connect(listen)
    yield seen
    survey_answered.disconnect(listen)


def answers(questions, **given):
    return {questions[kind]: value for kind, value in given.items()}


def test_a_first_answer_is_stored_with_its_score_and_words(invitation, questions, now, heard):
    given = answers(questions, nps="9", rating="4", choice="Speed", text="Lovely\r\nbox")

    response = responses.submit(invitation=invitation, answers=given, language="en", at=now)

    assert (response.score, response.comment, response.language) == (9, "Lovely\nbox", "en")
    assert (response.customer_id, response.submitted_at) == (invitation.customer_id, now)
    assert sorted(Answer.objects.values_list("question__kind", "number", "text")) == [
        ("choice", None, "Speed"),
        ("nps", 9, ""),
        ("rating", 4, ""),
        ("text", None, "Lovely\nbox"),
    ]
    assert heard == [(9, True)]


def test_repeating_a_submit_changes_nothing_even_after_the_window(invitation, questions, now, heard):
    given = answers(questions, nps=9, text="Good")
    first = responses.submit(invitation=invitation, answers=given, language="en", at=now)

    for later in (timedelta(0), timedelta(days=30)):
        again = responses.submit(invitation=invitation, answers=given, language="ko", at=now + later)
        assert (again.pk, again.edited_at, again.language) == (first.pk, None, "en")

    assert heard == [(9, True)]


def test_an_answer_is_replaced_as_a_whole_within_24_hours(invitation, questions, now, heard):
    responses.submit(
        invitation=invitation,
        answers=answers(questions, nps=2, rating=1, text="Broken"),
        language="en",
        at=now,
    )
    later = now + timedelta(hours=23, minutes=59)

    response = responses.submit(
        invitation=invitation,
        answers=answers(questions, nps=8, text="You replaced it"),
        language="en",
        at=later,
    )

    assert (response.score, response.comment) == (8, "You replaced it")
    assert (response.submitted_at, response.edited_at) == (now, later)
    assert sorted(Answer.objects.values_list("question__kind", "number")) == [("nps", 8), ("text", None)]
    assert heard == [(2, True)]


def test_other_answers_after_24_hours_are_refused(invitation, questions, now):
    responses.submit(invitation=invitation, answers=answers(questions, nps=2), language="en", at=now)

    with pytest.raises(responses.AlreadyAnswered):
        responses.submit(
            invitation=invitation,
            answers=answers(questions, nps=9),
            language="en",
            at=now + timedelta(hours=24),
        )

    assert Response.objects.get().score == 2


def test_a_first_answer_after_the_invitation_expired_is_refused(invitation, questions):
    with pytest.raises(responses.InvitationExpired):
        responses.submit(
            invitation=invitation,
            answers=answers(questions, nps=9),
            language="en",
            at=invitation.expires_at,
        )

    assert not Response.objects.exists()


def test_a_closed_survey_takes_no_first_answer(invitation, questions, now):
    surveys.close_survey(survey=invitation.survey)

    with pytest.raises(responses.InvitationExpired):
        responses.submit(invitation=invitation, answers=answers(questions, nps=9), language="en", at=now)

    assert invitation.survey.status == SurveyStatus.CLOSED
    assert not Response.objects.exists()


def test_wrong_answers_are_refused_together_and_nothing_is_stored(invitation, questions, now, heard):
    given = answers(questions, rating="6", choice="Colour", text="x" * 5001)

    with pytest.raises(responses.InvalidAnswers) as refusal:
        responses.submit(invitation=invitation, answers=given, language="en", at=now)

    assert refusal.value.detail["errors"] == {
        questions["nps"]: "required",
        questions["rating"]: "scale",
        questions["choice"]: "option",
        questions["text"]: "too_long",
    }
    assert not Response.objects.exists()
    assert heard == []


def test_an_answer_to_another_surveys_question_is_refused(invitation, questions, now):
    given = answers(questions, nps=9) | {987_654: "x"}

    with pytest.raises(responses.InvalidAnswers) as refusal:
        responses.submit(invitation=invitation, answers=given, language="en", at=now)

    assert refusal.value.detail["errors"] == {987_654: "option"}
    assert not Response.objects.exists()


def test_a_submit_without_any_answer_is_refused(invitation, now):
    invitation.survey.questions.update(required=False)

    with pytest.raises(responses.InvalidAnswers) as refusal:
        responses.submit(invitation=invitation, answers={}, language="en", at=now)

    assert refusal.value.detail["errors"] == {0: "nothing"}


def test_the_event_and_the_answer_are_one_transaction(invitation, questions, now):
    def refuse(**_):
        raise RuntimeError("a receiver failed")

    survey_answered.connect(refuse)
    try:
        with pytest.raises(RuntimeError), transaction.atomic():
            responses.submit(invitation=invitation, answers=answers(questions, nps=9), language="en", at=now)
    finally:
        survey_answered.disconnect(refuse)

    assert not Response.objects.exists()


def test_storing_takes_the_same_statements_for_one_answer_and_for_four(
    invitation, questions, now, django_assert_max_num_queries
):
    with django_assert_max_num_queries(8):  # one of them a campaign noting that it was answered
        responses.submit(
            invitation=invitation,
            answers=answers(questions, nps=9, rating=5, choice="Price", text="Good"),
            language="en",
            at=now,
        )


@pytest.mark.django_db(transaction=True)
def test_twenty_submits_at_once_become_one_response(invitation, questions, now, heard):
    def submit(number: int) -> str:
        try:
            responses.submit(
                invitation=invitation,
                answers=answers(questions, nps=number % 11, text=f"racer {number}"),
                language="en",
                at=now,
            )
        finally:
            connection.close()
        return "stored"

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(submit, range(20)))

    response = Response.objects.get()
    assert outcomes == ["stored"] * 20
    assert len(heard) == 1
    assert response.answers.count() == 2
    assert response.comment == f"racer {response.answers.get(number=None).text.split()[1]}"
