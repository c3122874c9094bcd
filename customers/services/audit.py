"""Who did what to a person's record, where it cannot be seen from the record any more."""

from datetime import datetime

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType

from crm.common.models import User
from customers.models import Customer


def note(*, customer: Customer, what: str, by: User | None, at: datetime) -> None:
    """Write a line about a customer into the admin's log; a program without a user leaves none."""
    if by is None:
        return
    LogEntry.objects.create(
        action_time=at,
        user=by,
        content_type=ContentType.objects.get_for_model(Customer),
        object_id=str(customer.pk),
        object_repr=f"#{customer.pk}",
        action_flag=CHANGE,
        change_message=what,
    )
