"""What feedback does when something happened to a customer, in the transaction it happened in."""

from datetime import datetime
from typing import Any

from django.dispatch import Signal

from customers import events as customer_events
from feedback.services import people


def move_answers(*, keep_id: int, other_id: int, **_kwargs: Any) -> None:
    people.follow_merge(keep_id=keep_id, other_id=other_id)


def forget_words(*, customer_id: int, at: datetime, **_kwargs: Any) -> None:
    people.forget(customer_id=customer_id, at=at)


RECEIVERS: tuple[tuple[Signal, Any], ...] = (
    (customer_events.customers_merged, move_answers),
    (customer_events.customer_erased, forget_words),
)


def connect() -> None:
    """Wire them, once."""
    for event, receiver in RECEIVERS:
        event.connect(receiver, dispatch_uid=f"feedback.{receiver.__name__}")
