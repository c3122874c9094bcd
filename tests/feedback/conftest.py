import os
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import count

import pytest
import time_machine
from django.test import Client

from crm.common.models import Shop
from feedback.choices import QuestionKind
from feedback.models import Invitation, Survey
from tests.factories import CustomerFactory, InvitationFactory, QuestionFactory, SurveyFactory

_visitors = count(1)


@pytest.fixture
def an_address() -> Callable[[], str]:
    """Addresses nobody came from before, in this run or the last: no test uses up another's minute."""

    def new() -> str:
        number = next(_visitors)
        return f"2001:db8:{os.getpid() % 65536:x}::{number // 65536:x}:{number % 65536:x}"

    return new


@pytest.fixture
def visitor(an_address: Callable[[], str]) -> Client:
    """A stranger's browser."""
    return Client(REMOTE_ADDR=an_address())


@pytest.fixture
def at(now: datetime) -> Iterator[Callable[..., None]]:
    """The pages look at the clock: it stands at ``now``, and ``at(hours=25)`` moves it on."""
    with time_machine.travel(now, tick=False) as clock:
        yield lambda **later: clock.move_to(now + timedelta(**later))


@pytest.fixture
def survey(shop: Shop) -> Survey:
    """An open survey: 0-10 (required), 1-5, a choice, and words."""
    survey = SurveyFactory(name="After your order")
    QuestionFactory(survey=survey, position=1, kind=QuestionKind.NPS, required=True)
    QuestionFactory(
        survey=survey, position=2, kind=QuestionKind.RATING, texts={"en": "The parcel?", "ko": "배송은요?"}
    )
    QuestionFactory(
        survey=survey,
        position=3,
        kind=QuestionKind.CHOICE,
        texts={"en": "What matters most?"},
        options=["Price", {"en": "Speed", "ko": "속도", "ja": "速さ"}],
    )
    QuestionFactory(survey=survey, position=4, kind=QuestionKind.TEXT, texts={"en": "Anything else?"})
    return survey


@pytest.fixture
def questions(survey: Survey) -> dict[str, int]:
    """Question ids by kind."""
    return {question.kind: question.pk for question in survey.questions.all()}


@pytest.fixture
def invitation(survey: Survey, now: datetime) -> Invitation:
    customer = CustomerFactory(language="en")
    return InvitationFactory(survey=survey, customer=customer, invited_at=now - timedelta(days=3))
