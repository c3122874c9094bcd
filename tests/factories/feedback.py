from datetime import UTC, date, datetime, timedelta

import factory

from feedback import models
from feedback.choices import QuestionKind, SurveyStatus
from tests.factories.base import Factory
from tests.factories.customers import CustomerFactory

FEBRUARY = datetime(2026, 2, 16, 3, 0, tzinfo=UTC)


class SurveyFactory(Factory):
    """An open NPS survey without questions."""

    class Meta:
        model = models.Survey

    name = factory.Sequence(lambda n: f"Survey {n}")
    status = SurveyStatus.OPEN


class QuestionFactory(Factory):
    """ "How likely to recommend": a survey has it at most once, so name another ``kind`` for a second one."""

    class Meta:
        model = models.Question

    survey = factory.SubFactory(SurveyFactory)
    position = factory.Sequence(lambda n: n % 30_000 + 1)
    kind = QuestionKind.NPS
    texts = factory.LazyFunction(
        lambda: {
            "en": "How likely are you to recommend us?",
            "ko": "저희를 추천할 의향이 얼마나 있으신가요?",
            "ja": "お友だちに薦める可能性はどのくらいですか。",
        }
    )


class InvitationFactory(Factory):
    class Meta:
        model = models.Invitation

    survey = factory.SubFactory(SurveyFactory)
    customer = factory.SubFactory(CustomerFactory)
    source = factory.Sequence(lambda n: f"test:{n}")
    invited_at = FEBRUARY
    expires_at = factory.LazyAttribute(lambda o: o.invited_at + timedelta(days=60))


class ResponseFactory(Factory):
    """A detractor's answer. ``ResponseFactory(survey=s, customer=c)`` invites that customer."""

    class Meta:
        model = models.Response

    _parent = "invitation"
    _shared = ("survey", "customer")

    invitation = factory.SubFactory(InvitationFactory)
    survey = factory.SelfAttribute("invitation.survey")
    customer = factory.SelfAttribute("invitation.customer")
    score = 3
    comment = "Delivery took two weeks."
    language = "en"
    submitted_at = factory.LazyAttribute(lambda o: o.invitation.invited_at + timedelta(days=1))


class AnswerFactory(Factory):
    class Meta:
        model = models.Answer

    response = factory.SubFactory(ResponseFactory)
    question = factory.SubFactory(QuestionFactory, survey=factory.SelfAttribute("..response.survey"))
    number = 3


class ThemeFactory(Factory):
    class Meta:
        model = models.Theme

    name = factory.Sequence(lambda n: f"Theme {n}")


class ActionFactory(Factory):
    class Meta:
        model = models.Action

    theme = factory.SubFactory(ThemeFactory)
    text = "Change the courier."
    due_on = date(2026, 3, 2)
