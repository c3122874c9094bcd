"""Consent: a dated statement with its source. A later one supersedes; none is ever edited."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from crm.common.errors import InvalidInput
from crm.common.models import User
from customers import events
from customers.choices import ConsentStatus, Purpose
from customers.models import Consent, Customer
from customers.services import checks


@transaction.atomic
def grant(
    *,
    customer: Customer,
    purpose: str,
    source: str,
    wording: str,
    stated_at: datetime,
    at: datetime,
    by: User | None = None,
) -> Consent:
    """Record that a customer said yes, where, when and to which words. Recording it twice is harmless.

    A yes older than the customer's last word is kept as history and changes nothing: a late import must not
    undo an unsubscription.

    Raises:
        InvalidInput: unknown purpose, no source, no wording, or a time in the future.
        CustomerErased: there is nobody to agree.
    """
    checks.somebody(customer)
    return _state(
        Consent(
            customer=customer,
            purpose=_purpose(purpose),
            status=ConsentStatus.GRANTED,
            source=checks.line(source, "source", 80, required=True),
            wording=checks.paragraphs(wording, "wording", 5000, required=True),
            stated_at=checks.past(stated_at, "stated_at", at),
            recorded_at=at,
            recorded_by=by,
        )
    )


@transaction.atomic
def withdraw(
    *, customer: Customer, purpose: str, source: str, at: datetime, by: User | None = None
) -> Consent:
    """Record that a customer takes their yes back; sends ``consent_withdrawn``. Repeating it is harmless.

    Raises:
        InvalidInput: unknown purpose or no source.
    """
    said = Consent(
        customer=customer,
        purpose=_purpose(purpose),
        status=ConsentStatus.WITHDRAWN,
        source=checks.line(source, "source", 80, required=True),
        stated_at=at,
        recorded_at=at,
        recorded_by=by,
    )
    kept = _state(said)
    if kept is said and kept.superseded_at is None:
        events.consent_withdrawn.send(sender=None, customer_id=customer.pk, purpose=said.purpose, at=at)
    return kept


def _purpose(purpose: str) -> str:
    if purpose not in Purpose.values:
        raise InvalidInput(_("This is not a purpose."), field="purpose")
    return purpose


def _state(said: Consent) -> Consent:
    """Store the statement unless it says nothing new; returns what is in force or, if older, in history."""
    # The customer's row is the lock: with no statement yet there is nothing else to hold.
    Customer.objects.select_for_update(no_key=True).get(pk=said.customer_id)
    statements = Consent.objects.filter(customer_id=said.customer_id, purpose=said.purpose)
    current = statements.filter(superseded_at=None).first()
    if current and _says_nothing_new(said, current):
        return current
    late = current is not None and said.stated_at < current.stated_at
    if current and late and said.status == ConsentStatus.GRANTED:
        return _into_history(said, current)
    if current:
        statements.filter(pk=current.pk).update(superseded_at=said.stated_at)
    said.save()
    return said


def _into_history(said: Consent, current: Consent) -> Consent:
    known = Consent.objects.filter(
        customer_id=said.customer_id,
        purpose=said.purpose,
        status=said.status,
        source=said.source,
        stated_at=said.stated_at,
    ).first()
    if known:
        return known
    said.superseded_at = current.stated_at
    said.save()
    return said


def _says_nothing_new(said: Consent, current: Consent) -> bool:
    if said.status != current.status:
        return False
    if said.status == ConsentStatus.WITHDRAWN:
        return True
    return (said.source, said.wording, said.stated_at) == (current.source, current.wording, current.stated_at)
