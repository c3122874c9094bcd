from datetime import timedelta

import pytest

from customers.core import timeline as story
from feedback import timeline
from tests.factories import InvitationFactory, ResponseFactory, SurveyFactory

pytestmark = pytest.mark.django_db


def test_a_customers_invitations_and_answers_come_newest_first_in_two_queries(django_assert_num_queries):
    survey = SurveyFactory(name="After your order")
    response = ResponseFactory(survey=survey, score=3, comment="Slow")
    wordless = ResponseFactory(customer=response.customer, score=None, comment="")
    InvitationFactory()  # of another customer

    with django_assert_num_queries(2):
        items = timeline.items(response.customer_id, None, 50)

    assert [(item.key, item.title, item.detail) for item in items] == [
        (f"response:{response.pk}", "Answered After your order: 3 of 10", "Slow"),
        (f"response:{wordless.pk}", f"Answered {wordless.survey}", ""),
        (f"invitation:{response.invitation_id}", "Invited to After your order", ""),
        (f"invitation:{wordless.invitation_id}", f"Invited to {wordless.survey}", ""),
    ]


def test_before_and_limit_cut_the_story():
    response = ResponseFactory()

    newest = timeline.items(response.customer_id, None, 1)
    rest = timeline.items(response.customer_id, newest[0].at, 50)

    assert [item.key for item in newest + rest] == [
        f"response:{response.pk}",
        f"invitation:{response.invitation_id}",
    ]
    assert timeline.items(response.customer_id, rest[0].at - timedelta(seconds=1), 50) == []


def test_feedback_tells_its_part_of_every_customers_story():
    response = ResponseFactory()

    assert story.registered()["feedback"] == {"survey"}
    assert f"response:{response.pk}" in [item.key for item in story.items(response.customer_id)]
