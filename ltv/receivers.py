"""What the figures do when something happened to a customer, in the transaction it happened in."""

from typing import Any

from django.dispatch import Signal

from customers import events as customer_events
from ltv.services import merging


def drop_merged_summary(*, other_id: int, **_kwargs: Any) -> None:
    merging.follow_merge(other_id=other_id)


RECEIVERS: tuple[tuple[Signal, Any], ...] = ((customer_events.customers_merged, drop_merged_summary),)


def connect() -> None:
    """Wire them, once."""
    for event, receiver in RECEIVERS:
        event.connect(receiver, dispatch_uid=f"ltv.{receiver.__name__}")
