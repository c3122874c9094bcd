"""What campaigns do when something happened to a customer, in the transaction it happened in."""

from datetime import datetime
from typing import Any

from django.dispatch import Signal

from campaigns.services import engagement, enrolment, people, unsubscribe
from customers import events as customer_events
from feedback import events as feedback_events
from ltv import events as ltv_events


def stop_mail_without_consent(*, customer_id: int, purpose: str, **_kwargs: Any) -> None:
    unsubscribe.stop_mail(customer_id=customer_id, purpose=purpose)


def stop_mail_to_old_address(*, customer_id: int, old_normalised: str | None, **_kwargs: Any) -> None:
    if old_normalised:
        unsubscribe.stop_mail_to_old_address(customer_id=customer_id, address=old_normalised)


def move_ledger(
    *,
    keep_id: int,
    other_id: int,
    kept_address: str | None,
    lost_address: str | None,
    at: datetime,
    **_kwargs: Any,
) -> None:
    people.follow_merge(
        keep_id=keep_id, other_id=other_id, kept_address=kept_address, lost_address=lost_address, at=at
    )


def forget_addresses(*, customer_id: int, addresses: list[str], at: datetime, **_kwargs: Any) -> None:
    people.forget(customer_id=customer_id, addresses=addresses, at=at)


def enrol_entrants(*, entered: dict[int, int], at: datetime, **_kwargs: Any) -> None:
    enrolment.enrol_entrants(segment_ids=[segment for segment, count in entered.items() if count], at=at)


def enrol_who_waited(*, at: datetime, **_kwargs: Any) -> None:
    enrolment.enrol_who_waited(at=at)


def note_answer(*, response: Any, at: datetime, **_kwargs: Any) -> None:
    engagement.survey_answered(invitation_id=response.invitation_id, at=at)


RECEIVERS: tuple[tuple[Signal, Any], ...] = (
    (customer_events.consent_withdrawn, stop_mail_without_consent),
    (customer_events.customer_email_changed, stop_mail_to_old_address),
    (customer_events.customers_merged, move_ledger),
    (customer_events.customer_erased, forget_addresses),
    (customer_events.segments_changed, enrol_entrants),
    (feedback_events.survey_answered, note_answer),
    (ltv_events.forecast_judged, enrol_who_waited),
)


def connect() -> None:
    """Wire them, once."""
    for event, receiver in RECEIVERS:
        event.connect(receiver, dispatch_uid=f"campaigns.{receiver.__name__}")
