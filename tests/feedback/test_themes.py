from datetime import date, timedelta

import pytest

from crm.common.errors import InvalidInput
from feedback.choices import ActionStatus, CaseStatus
from feedback.models import Action, Response, Theme
from feedback.services import cases, themes
from tests.factories import ResponseFactory, ThemeFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_a_theme_is_made_once_per_name():
    first = themes.create_theme(name="  Slow   delivery ")
    again = themes.create_theme(name="Slow delivery")

    assert (first.pk, first.name, Theme.objects.count()) == (again.pk, "Slow delivery", 1)


@pytest.mark.parametrize("name", ["", "  ", "x" * 121])
def test_a_theme_needs_a_short_name(name):
    with pytest.raises(InvalidInput):
        themes.create_theme(name=name)

    assert not Theme.objects.exists()


def test_tagging_twice_counts_once_and_can_be_taken_back():
    response, theme = ResponseFactory(), ThemeFactory()

    themes.tag_response(response=response, theme=theme)
    themes.tag_response(response=response, theme=theme)
    assert list(theme.responses.all()) == [response]

    themes.untag_response(response=response, theme=theme)
    assert not theme.responses.exists()


def test_an_action_is_planned_done_and_told(now):
    owner = UserFactory()
    action = themes.plan_action(
        theme=ThemeFactory(), text=" Change the courier ", due_on=date(2026, 3, 9), owner=owner
    )
    assert (action.text, action.status, action.owner) == ("Change the courier", ActionStatus.PLANNED, owner)

    themes.complete_action(action=action, at=now)
    themes.complete_action(action=action, at=now + timedelta(days=1))
    assert (action.status, action.done_at) == (ActionStatus.DONE, now)

    themes.mark_told(action=action)
    themes.mark_told(action=action)
    assert Action.objects.get().status == ActionStatus.TOLD


def test_nobody_is_told_before_it_is_done_and_nothing_dropped_is_done(now):
    action = themes.plan_action(theme=ThemeFactory(), text="Paint it", due_on=date(2026, 3, 9))

    with pytest.raises(themes.ActionNotDone):
        themes.mark_told(action=action)
    assert Action.objects.get().status == ActionStatus.PLANNED

    themes.drop_action(action=action)
    with pytest.raises(themes.ActionNotOpen):
        themes.complete_action(action=action, at=now)
    assert Action.objects.get().status == ActionStatus.DROPPED


def test_an_action_needs_words():
    with pytest.raises(InvalidInput):
        themes.plan_action(theme=ThemeFactory(), text=" ", due_on=date(2026, 3, 9))

    assert not Action.objects.exists()


def test_a_case_moves_on_and_keeps_its_owner():
    response, owner = ResponseFactory(), UserFactory()

    cases.move_case(response=response, status=CaseStatus.IN_CONTACT, owner=owner)
    cases.move_case(response=response, status=CaseStatus.SOLVED)

    response = Response.objects.get()
    assert (response.case_status, response.case_owner) == (CaseStatus.SOLVED, owner)


def test_an_unknown_case_status_is_refused():
    response = ResponseFactory()

    with pytest.raises(InvalidInput):
        cases.move_case(response=response, status="forgotten")

    assert Response.objects.get().case_status == CaseStatus.NEW
