from datetime import date, timedelta

import pytest

from crm.common.intervals import net_promoter, wilson
from feedback import reports
from feedback.choices import ActionStatus
from tests.factories import (
    ActionFactory,
    CustomerFactory,
    InvitationFactory,
    ResponseFactory,
    SurveyFactory,
    ThemeFactory,
)

pytestmark = pytest.mark.django_db


def test_the_score_is_promoters_minus_detractors_with_its_interval():
    survey = SurveyFactory()
    for score in [10, 9, 9, 10, 9, 8, 7, 6, 0, None]:
        ResponseFactory(survey=survey, score=score)
    InvitationFactory.create_batch(10, survey=survey)
    ResponseFactory(score=0)  # of another survey

    found = reports.nps(survey)

    assert (found.promoters, found.passives, found.detractors, found.answers) == (5, 2, 2, 9)
    assert (found.score, found.low, found.high) == net_promoter(5, 2, 9)
    assert found.score == pytest.approx(100 * (5 - 2) / 9)
    assert (found.invited, found.responses, found.response_rate) == (20, 10, 0.5)
    assert (found.response_rate_low, found.response_rate_high) == wilson(10, 20)


def test_without_answers_the_score_is_nothing_known_and_the_rate_is_empty():
    found = reports.nps(SurveyFactory())

    assert (found.score, found.low, found.high, found.answers) == (0, -100, 100, 0)
    assert (found.invited, found.response_rate) == (0, None)


def test_since_leaves_out_what_was_before(now):
    survey = SurveyFactory()
    old = InvitationFactory(survey=survey, invited_at=now - timedelta(days=400))
    ResponseFactory(invitation=old, score=0)
    new = InvitationFactory(survey=survey, invited_at=now - timedelta(days=5))
    ResponseFactory(invitation=new, score=10)

    found = reports.nps(survey, since=now - timedelta(days=30))

    assert (found.score, found.answers, found.invited) == (100, 1, 1)
    assert reports.nps().answers == 2


def test_the_score_by_month_leaves_out_empty_months():
    survey = SurveyFactory()
    january = InvitationFactory(survey=survey)
    january.invited_at -= timedelta(days=40)
    january.save()
    ResponseFactory(invitation=january, score=10)
    ResponseFactory(survey=survey, score=3)
    ResponseFactory(survey=survey, score=9)
    ResponseFactory(survey=survey, score=None)

    assert [(row.month, row.score, row.answers) for row in reports.nps_by_month(survey)] == [
        (date(2026, 1, 1), 100, 1),
        (date(2026, 2, 1), 0, 2),
    ]


def test_recent_detractors_come_newest_first_with_everything_a_card_shows(django_assert_num_queries):
    theme = ThemeFactory(name="Delivery")
    survey = SurveyFactory(name="After your order")
    answers = [ResponseFactory(survey=survey, score=score) for score in (6, 7, 0, 10, None, 3)]
    for answer in answers:
        answer.themes.add(theme)

    with django_assert_num_queries(2):
        cards = [
            (card.score, card.customer.name, card.survey.name, [tag.name for tag in card.themes.all()])
            for card in reports.recent_detractors(2)
        ]

    assert cards == [
        (answers[index].score, answers[index].customer.name, "After your order", ["Delivery"])
        for index in (5, 2)
    ]


def test_a_themes_row_counts_answers_and_actions_without_multiplying_them(django_assert_num_queries):
    theme, quiet = ThemeFactory(name="Delivery"), ThemeFactory(name="Colours")
    survey, other, customer = SurveyFactory(), SurveyFactory(), CustomerFactory()
    for one in (survey, other):
        ResponseFactory(survey=one, customer=customer, score=2).themes.add(theme)
    ResponseFactory(survey=survey, score=8).themes.add(theme)
    ActionFactory.create_batch(2, theme=theme)
    ActionFactory(theme=theme, status=ActionStatus.DONE, done_at=survey.created_at)

    with django_assert_num_queries(1):
        rows = reports.themes()

    assert [(row.theme, row.said, row.customers, row.planned, row.done, row.told) for row in rows] == [
        (theme, 3, 2, 2, 1, 0),
        (quiet, 0, 0, 0, 0, 0),
    ]
    assert rows[0].average_score == pytest.approx(4)


def test_exactly_those_who_raised_a_theme_are_told():
    theme = ThemeFactory()
    raised = ResponseFactory()
    raised.themes.add(theme)
    ResponseFactory().themes.add(ThemeFactory())
    ResponseFactory()

    assert list(reports.raised_by(theme)) == [raised.customer]
