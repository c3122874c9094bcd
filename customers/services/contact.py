"""What staff and customers said, and the next steps promised."""

from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from crm.common.errors import DomainError, InvalidInput
from crm.common.models import User
from customers.choices import Direction, FollowUpStatus, InteractionKind, Outcome
from customers.models import Customer, FollowUp, Interaction
from customers.services import checks


class FollowUpClosed(DomainError):
    """The next step is done or cancelled already."""

    code = "follow_up_closed"
    message = _("This next step is closed already.")


@transaction.atomic
def log_interaction(
    *,
    customer: Customer,
    kind: str,
    note: str,
    staff: User | None,
    occurred_at: datetime,
    at: datetime,
    direction: str = Direction.OUTBOUND,
    outcome: str = Outcome.NONE,
    next_step: str = "",
    next_step_due: date | None = None,
) -> Interaction:
    """Note a conversation and, with ``next_step``, promise what comes next; staff owns that promise.

    Raises:
        InvalidInput: an unknown choice, an empty note, a time in the future, a next step without its day.
        CustomerErased: there is nobody to write about.
    """
    checks.somebody(customer)
    interaction = Interaction.objects.create(
        customer=customer,
        kind=_choice(InteractionKind.values, kind, "kind"),
        direction=_choice(Direction.values, direction, "direction"),
        outcome=_choice(Outcome.values, outcome, "outcome"),
        note=checks.paragraphs(note, "note", 5000, required=True),
        staff=staff,
        occurred_at=checks.past(occurred_at, "occurred_at", at),
        recorded_at=at,
    )
    if next_step or next_step_due:
        if next_step_due is None:
            raise InvalidInput(_("A next step needs a day."), field="next_step_due")
        plan_follow_up(
            customer=customer,
            text=next_step,
            due_on=next_step_due,
            assigned_to=staff,
            interaction=interaction,
        )
    return interaction


def plan_follow_up(
    *,
    customer: Customer,
    text: str,
    due_on: date,
    assigned_to: User | None = None,
    interaction: Interaction | None = None,
) -> FollowUp:
    """Promise a next step for a day.

    Raises:
        InvalidInput: no text.
        CustomerErased: there is nobody to promise it to.
    """
    checks.somebody(customer)
    return FollowUp.objects.create(
        customer=customer,
        text=checks.line(text, "next_step", 240, required=True),
        due_on=due_on,
        assigned_to=assigned_to,
        interaction=interaction,
    )


def close_follow_up(*, follow_up: FollowUp, status: str, at: datetime) -> FollowUp:
    """Say that a next step is done, or will not be.

    Raises:
        InvalidInput: a status that closes nothing.
        FollowUpClosed: it was closed before.
    """
    closing = [FollowUpStatus.DONE.value, FollowUpStatus.CANCELLED.value]
    _choice(closing, status, "status")
    if not FollowUp.objects.open().filter(pk=follow_up.pk).update(status=status, closed_at=at):
        raise FollowUpClosed
    follow_up.refresh_from_db()
    return follow_up


def _choice(allowed: list[str], value: str, field: str) -> str:
    if value not in allowed:
        raise InvalidInput(_("This is not one of the choices."), field=field)
    return value
