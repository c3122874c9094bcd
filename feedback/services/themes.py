"""From answers to themes, from themes to actions, from actions back to those who spoke."""

from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from crm.common.errors import DomainError, InvalidInput
from crm.common.models import User
from feedback.choices import ActionStatus
from feedback.models import Action, Response, Theme


class ActionNotOpen(DomainError):
    code = "action_not_open"
    message = _("Only a planned action can be completed or dropped.")


class ActionNotDone(DomainError):
    code = "action_not_done"
    message = _("Customers can be told once the action is done.")


def create_theme(*, name: str) -> Theme:
    """Name what several customers say; a name that exists gives the theme that has it.

    Raises:
        InvalidInput: the name is empty or longer than 120 characters.
    """
    name = " ".join(name.split())
    if not name or len(name) > 120:
        raise InvalidInput(_("A theme needs a name of at most 120 characters."), field="name")
    theme, _created = Theme.objects.get_or_create(name=name)
    return theme


def tag_response(*, response: Response, theme: Theme) -> None:
    """Say that a response is about a theme; saying it twice is harmless."""
    response.themes.add(theme)


def untag_response(*, response: Response, theme: Theme) -> None:
    """Take the theme off a response."""
    response.themes.remove(theme)


def plan_action(*, theme: Theme, text: str, due_on: date, owner: User | None = None) -> Action:
    """Promise to do something about a theme by a day.

    Raises:
        InvalidInput: the text is empty or longer than 240 characters.
    """
    text = text.strip()
    if not text or len(text) > 240:
        raise InvalidInput(_("Say in at most 240 characters what will be done."), field="text")
    return Action.objects.create(theme=theme, text=text, due_on=due_on, owner=owner)


@transaction.atomic
def complete_action(*, action: Action, at: datetime) -> Action:
    """Record that it was done; recording it twice keeps the first time.

    Raises:
        ActionNotOpen: it was dropped.
    """
    return _move(action, ActionStatus.PLANNED, ActionStatus.DONE, ActionNotOpen, done_at=at)


@transaction.atomic
def drop_action(*, action: Action) -> Action:
    """Record that it will not be done.

    Raises:
        ActionNotOpen: it was done already.
    """
    return _move(action, ActionStatus.PLANNED, ActionStatus.DROPPED, ActionNotOpen)


@transaction.atomic
def mark_told(*, action: Action) -> Action:
    """Record that those who raised the theme were told what was done.

    Raises:
        ActionNotDone: there is nothing to tell yet.
    """
    return _move(action, ActionStatus.DONE, ActionStatus.TOLD, ActionNotDone)


def _move(action: Action, before: str, after: str, refusal: type[DomainError], **changes: object) -> Action:
    moved = Action.objects.filter(pk=action.pk, status=before).update(status=after, **changes)
    action.refresh_from_db()
    if not moved and action.status != after:
        raise refusal
    return action
