from datetime import timedelta

import pytest

from crm.common.errors import InvalidInput
from customers.models import Customer
from feedback.choices import QuestionKind, SurveyStatus
from feedback.models import Invitation, Question, Survey
from feedback.services import invitations, surveys
from tests.factories import CustomerFactory, SurveyFactory

pytestmark = pytest.mark.django_db
SCORE = {"kind": "nps", "texts": {"en": "How likely?"}, "required": True}


def test_a_survey_keeps_its_questions_in_order():
    survey = surveys.create_survey(
        name=" After your order ",
        questions=[SCORE, {"kind": "choice", "texts": {"en": "Why?"}, "options": ["Price", "Speed"]}],
    )

    assert (survey.name, survey.kind, survey.status) == ("After your order", "nps", SurveyStatus.DRAFT)
    assert list(survey.questions.values_list("position", "kind", "required", "options")) == [
        (1, "nps", True, []),
        (2, "choice", False, ["Price", "Speed"]),
    ]


@pytest.mark.parametrize(
    ("question", "field"),
    [
        ({"kind": "slider", "texts": {"en": "?"}}, "questions.0.kind"),
        ({"kind": "text", "texts": {"ko": "왜요?"}}, "questions.0.texts"),
        ({"kind": "text", "texts": {"en": "  "}}, "questions.0.texts"),
        ({"kind": "choice", "texts": {"en": "?"}, "options": ["A", {"en": "A"}]}, "questions.0.options"),
    ],
)
def test_a_malformed_question_is_refused_with_its_place(question, field):
    with pytest.raises(InvalidInput) as refusal:
        surveys.create_survey(name="Bad", questions=[question])

    assert refusal.value.detail == {"field": field}
    assert not Survey.objects.exists()


def test_a_second_score_or_a_taken_name_is_refused():
    with pytest.raises(InvalidInput):
        surveys.create_survey(name="Twice", questions=[SCORE, SCORE])
    surveys.create_survey(name="Taken", questions=[SCORE])
    with pytest.raises(surveys.DuplicateSurvey):
        surveys.create_survey(name="Taken", questions=[SCORE, {"kind": "text", "texts": {"en": "?"}}])

    assert Question.objects.count() == 1


def test_opening_twice_is_harmless_and_closing_is_for_good():
    survey = surveys.create_survey(name="Life", questions=[SCORE])

    surveys.open_survey(survey=survey)
    surveys.open_survey(survey=survey)
    assert Survey.objects.get().status == SurveyStatus.OPEN
    surveys.close_survey(survey=survey)
    with pytest.raises(surveys.SurveyClosed):
        surveys.open_survey(survey=survey)
    assert Survey.objects.get().status == SurveyStatus.CLOSED


def test_a_survey_without_questions_cannot_be_opened():
    survey = surveys.create_survey(name="Empty", questions=[])

    with pytest.raises(surveys.SurveyHasNoQuestions):
        surveys.open_survey(survey=survey)

    assert Survey.objects.get().status == SurveyStatus.DRAFT


def test_everyone_in_a_set_is_invited_once_per_source(now):
    survey = SurveyFactory(valid_days=14)
    CustomerFactory.create_batch(3, country="KR")
    CustomerFactory(country="US", name="100% 'quoted' %s")
    koreans = Customer.objects.filter(country="KR").exclude(name__contains="100% 'quoted' %s")

    first = invitations.invite_many(survey=survey, customers=koreans, source="campaign:1", at=now)
    again = invitations.invite_many(
        survey=survey, customers=Customer.objects.all(), source="campaign:1", at=now
    )
    other = invitations.invite_many(survey=survey, customers=koreans, source="campaign:2", at=now)

    assert (first, again, other) == (3, 1, 3)
    assert set(Invitation.objects.values_list("invited_at", "expires_at")) == {
        (now, now + timedelta(days=14))
    }


def test_inviting_takes_the_same_statements_for_one_and_for_fifty(now, django_assert_num_queries):
    survey = SurveyFactory()
    CustomerFactory.create_batch(50)

    for source, size in [("few", 1), ("many", 50)]:
        with django_assert_num_queries(2):
            made = invitations.invite_many(
                survey=survey, customers=Customer.objects.order_by("pk")[:size], source=source, at=now
            )
        assert made == size


@pytest.mark.parametrize("status", [SurveyStatus.DRAFT, SurveyStatus.CLOSED])
def test_only_an_open_survey_is_sent(status, now):
    survey = SurveyFactory(status=status)
    CustomerFactory()

    with pytest.raises(invitations.SurveyNotOpen):
        invitations.invite_many(survey=survey, customers=Customer.objects.all(), source="x", at=now)

    assert not Invitation.objects.exists()


def test_a_question_reads_in_the_customers_language_else_in_english():
    question = Question(kind=QuestionKind.TEXT, texts={"en": "Why?", "ko": "왜요?", "ja": ""})

    assert [question.text_in(language) for language in ("ko", "ja", "fr")] == ["왜요?", "Why?", "Why?"]
