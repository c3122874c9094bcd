"""The person goes, the anonymous facts stay."""

import uuid
from datetime import datetime

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction

from crm.common import sql
from crm.common.models import IdempotencyRecord, User
from customers import events
from customers.choices import ConsentStatus, FollowUpStatus, Language
from customers.models import Consent, Customer, FollowUp, FormerRecord, Interaction
from customers.models.consent import ERASURE
from customers.services import audit, consent

NOTHING = "–"  # where the database wants words


@transaction.atomic
def erase_customer(*, customer: Customer, by: User | None, at: datetime) -> Customer:
    """Forget who a customer is, for good; erasing twice is harmless.

    Gone: name, e-mail, phone, ids of other systems, words of conversations and promises, reasons of refunds, staged
    rows of imports, kept answers of the API; through ``customer_erased`` also answers' words, addresses and mails.
    Kept: purchases with order id, day and amounts, refunds, country, acquisition, stays in segments, dates of consents:
    sums, cohorts and values do not change. The addresses stay blocked as keyed hashes, see ``campaigns``.
    """
    stored = Customer.objects.select_for_update().get(pk=customer.pk)
    if stored.erased_at is not None:
        return stored
    addresses = _addresses(stored)
    _withdraw_consents(stored, by, at)
    events.customer_erased.send(sender=None, customer_id=stored.pk, addresses=addresses, at=at)
    _erase_words(stored, at)
    _erase_copies(stored, addresses)
    FormerRecord.objects.filter(customer=stored).delete()
    _become_nobody(stored, at)
    audit.note(customer=stored, what="Erased the person of this customer.", by=by, at=at)
    return stored


def _addresses(customer: Customer) -> list[str]:
    former = FormerRecord.objects.filter(customer=customer).exclude(email_normalised=None)
    known = {customer.email_normalised, *former.values_list("email_normalised", flat=True)}
    return sorted(address for address in known if address)


def _withdraw_consents(customer: Customer, by: User | None, at: datetime) -> None:
    granted = Consent.objects.filter(customer=customer, superseded_at=None, status=ConsentStatus.GRANTED)
    for purpose in list(granted.values_list("purpose", flat=True)):
        consent.withdraw(customer=customer, purpose=purpose, source=ERASURE, at=at, by=by)


def _erase_words(customer: Customer, at: datetime) -> None:
    Interaction.objects.filter(customer=customer).update(note=NOTHING)
    steps = FollowUp.objects.filter(customer=customer)
    steps.open().update(status=FollowUpStatus.CANCELLED, closed_at=at)  # type: ignore[attr-defined]
    steps.update(text=NOTHING)
    sql.execute("customers/erase_refund_reasons", {"customer": customer.pk})


def _erase_copies(customer: Customer, addresses: list[str]) -> None:
    """What other tables repeat of the person: staged rows of imports, answers kept for repeats, the admin's log."""
    former = FormerRecord.objects.filter(customer=customer)
    known = (customer.external_id, *former.values_list("external_id", flat=True))
    external_ids = {external_id for external_id in known if external_id is not None}
    public_ids = [customer.public_id, *former.values_list("public_id", flat=True)]
    with sql.patient(seconds=60):
        found = {"addresses": addresses, "external_ids": sorted(external_ids)}
        sql.execute("customers/erase_staged_rows", found)
    for public_id in public_ids:
        IdempotencyRecord.objects.filter(reply__public_id=str(public_id)).delete()
        IdempotencyRecord.objects.filter(route__contains=str(public_id)).delete()
    log = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(Customer), object_id=str(customer.pk)
    )
    log.update(object_repr=f"#{customer.pk}")


def _become_nobody(customer: Customer, at: datetime) -> None:
    """The row without its person. The new public id keeps other systems' links from leading to these purchases."""
    customer.name = f"#{customer.pk}"
    customer.given_name = customer.family_name = customer.email = customer.phone = ""
    customer.email_normalised = customer.external_id = customer.referred_by = None
    customer.language, customer.time_zone = Language.ENGLISH, "UTC"
    customer.public_id, customer.erased_at = uuid.uuid4(), at
    customer.save()
