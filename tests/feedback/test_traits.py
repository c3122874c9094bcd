"""What customers told us, offered to segment rules."""

from datetime import UTC, date, datetime

import pytest

from customers.models import Segment
from customers.services import segments
from tests.factories import CustomerFactory, ResponseFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]
TODAY = date(2026, 3, 2)


def value(customer_id: int, trait: str) -> str:
    return segments.why(customer_id, Segment(rule={"trait": trait, "op": "is_known"}), TODAY)[0].value


def test_the_score_is_the_last_one_given_and_an_answer_without_a_score_does_not_hide_it():
    customer = CustomerFactory()
    for day, score in ((1, 2), (10, 9), (20, None)):
        ResponseFactory(customer=customer, score=score, submitted_at=datetime(2026, 2, day, 3, tzinfo=UTC))

    assert value(customer.pk, "feedback.nps_score") == "9"
    assert value(customer.pk, "feedback.days_since_answer") == "10 days"


@pytest.mark.parametrize(
    ("score", "case", "shown"),
    [(6, "new", "yes"), (0, "in_contact", "yes"), (6, "solved", "no"), (7, "new", "no"), (None, "new", "no")],
)
def test_an_open_case_is_a_low_score_nobody_has_settled(score, case, shown):
    customer = ResponseFactory(score=score, case_status=case).customer

    assert value(customer.pk, "feedback.open_detractor_case") == shown


def test_of_who_never_answered_the_score_is_not_known():
    customer = CustomerFactory()

    assert value(customer.pk, "feedback.nps_score") == "not known"
    assert value(customer.pk, "feedback.days_since_answer") == "not known"
    assert value(customer.pk, "feedback.open_detractor_case") == "no"
