from datetime import timedelta

import pytest

from customers.core.timeline import tellers
from customers.reports import story
from tests.factories import InvitationFactory, ResponseFactory, SurveyFactory

pytestmark = pytest.mark.django_db


def test_a_customers_invitations_and_answers_come_newest_first_in_one_query(django_assert_num_queries):
    survey = SurveyFactory(name="After your order")
    response = ResponseFactory(survey=survey, score=3, comment="Slow")
    wordless = ResponseFactory(customer=response.customer, score=None, comment="")
    InvitationFactory()  # of another customer

    with django_assert_num_queries(1):
        items = story(response.customer_id, kinds={"survey"})

    assert [(item.key, item.title, item.detail) for item in items] == [
        (f"response:{response.pk}", "Answered After your order: 3 of 10", "Slow"),
        (f"response:{wordless.pk}", f"Answered {wordless.survey}", ""),
        (f"invitation:{response.invitation_id}", "Invited to After your order", ""),
        (f"invitation:{wordless.invitation_id}", f"Invited to {wordless.survey}", ""),
    ]


def test_before_and_limit_cut_the_story():
    response = ResponseFactory()

    newest = story(response.customer_id, limit=1)
    rest = story(response.customer_id, before=newest[0].at)

    assert [item.key for item in newest + rest] == [
        f"response:{response.pk}",
        f"invitation:{response.invitation_id}",
    ]
    assert story(response.customer_id, before=rest[0].at - timedelta(seconds=1)) == []


def test_feedback_tells_its_part_of_every_customers_story():
    response = ResponseFactory()

    assert [teller.query.partition("/")[0] for teller in tellers({"survey"})] == ["feedback", "feedback"]
    assert f"response:{response.pk}" in [item.key for item in story(response.customer_id)]
