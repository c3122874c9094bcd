"""PostgreSQL itself refuses each impossible row, whoever writes it."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from feedback.models import Action, Answer, Invitation, Question, Response, Survey
from tests.factories import (
    ActionFactory,
    AnswerFactory,
    InvitationFactory,
    QuestionFactory,
    ResponseFactory,
    SurveyFactory,
    ThemeFactory,
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("make", "model", "bad", "constraint"),
    [
        (SurveyFactory, Survey, {"kind": "quiz"}, "survey_kind_known"),
        (SurveyFactory, Survey, {"status": "paused"}, "survey_status_known"),
        (SurveyFactory, Survey, {"valid_days": 0}, "survey_valid_days_range"),
        (SurveyFactory, Survey, {"valid_days": 366}, "survey_valid_days_range"),
        (QuestionFactory, Question, {"kind": "slider"}, "question_kind_known"),
        (QuestionFactory, Question, {"texts": {"ko": "왜요?"}}, "question_has_english"),
        (ResponseFactory, Response, {"score": 11}, "response_score_range"),
        (ResponseFactory, Response, {"case_status": "lost"}, "response_case_known"),
        (AnswerFactory, Answer, {"number": None, "text": ""}, "answer_says_something"),
        (ActionFactory, Action, {"status": "someday"}, "action_status_known"),
        (ActionFactory, Action, {"status": "done"}, "action_done_has_time"),
    ],
)
def test_an_impossible_value_is_refused(make, model, bad, constraint):
    row = make()
    before = model.objects.filter(pk=row.pk).values().get()

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        model.objects.filter(pk=row.pk).update(**bad)

    assert model.objects.filter(pk=row.pk).values().get() == before


def test_a_planned_action_has_no_time_of_being_done(now):
    with pytest.raises(IntegrityError, match="action_done_has_time"), transaction.atomic():
        ActionFactory(done_at=now)

    assert not Action.objects.exists()


def test_an_invitation_ends_after_it_begins():
    invitation = InvitationFactory()

    with pytest.raises(IntegrityError, match="invitation_ends_after"), transaction.atomic():
        Invitation.objects.update(expires_at=invitation.invited_at)

    assert Invitation.objects.get().expires_at == invitation.invited_at + timedelta(days=60)


def test_what_is_once_is_once():
    question, invitation = QuestionFactory(position=1), InvitationFactory()
    answer = AnswerFactory()
    twins = [
        (
            QuestionFactory,
            {"survey": question.survey, "position": 1, "kind": "text"},
            "question_position_once",
        ),
        (QuestionFactory, {"survey": question.survey, "position": 2, "kind": "nps"}, "question_one_nps"),
        (SurveyFactory, {"name": question.survey.name}, "feedback_survey_name"),
        (ThemeFactory, {"name": ThemeFactory().name}, "feedback_theme_name"),
        (
            InvitationFactory,
            {"survey": invitation.survey, "customer": invitation.customer, "source": invitation.source},
            "invitation_once_per_source",
        ),
        (ResponseFactory, {"invitation": answer.response.invitation}, "invitation_id"),
        (AnswerFactory, {"response": answer.response, "question": answer.question}, "answer_once"),
    ]

    for make, values, constraint in twins:
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            make(**values)
