"""Two at once, on two real connections."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import connection

from crm.common.errors import DomainError
from customers.choices import Purpose
from customers.models import Consent, Customer, Purchase, Refund
from customers.services import consent, people, purchases
from tests.factories import CustomerFactory, PurchaseFactory

pytestmark = pytest.mark.django_db(transaction=True)
AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
RACERS = 6


def race(act):
    """What ``act(number)`` returned or refused in each of several threads that start together."""
    start = threading.Barrier(RACERS)

    def run(number):
        try:
            start.wait(timeout=20)
            return act(number)
        except DomainError as refusal:
            return type(refusal)
        finally:
            connection.close()

    with ThreadPoolExecutor(RACERS) as pool:
        return list(pool.map(run, range(RACERS)))


def test_one_order_sent_by_many_at_once_is_stored_once(shop):
    customer = CustomerFactory()

    outcomes = race(
        lambda number: purchases.record_purchase(
            customer=customer,
            source="shop",
            external_id="O-1",
            amount=Decimal("10.00"),
            currency="USD",
            purchased_at=AT,
            at=AT,
        )[1]
    )

    assert sorted(outcomes) == [False] * (RACERS - 1) + [True]
    assert Purchase.objects.count() == 1


def test_refunds_at_once_never_exceed_the_purchase(shop):
    purchase = PurchaseFactory(amount=Decimal(50))

    outcomes = race(
        lambda number: (
            purchases.refund(
                purchase=purchase, external_id=f"R-{number}", amount=Decimal(30), refunded_at=AT, at=AT
            ).amount
        )
    )

    purchase.refresh_from_db()
    assert outcomes.count(purchases.RefundTooLarge) == RACERS - 1
    assert (purchase.refunded, Refund.objects.count()) == (30, 1)


def test_one_address_taken_by_many_at_once_belongs_to_one(shop):
    outcomes = race(
        lambda number: people.create_customer(name=f"Kim {number}", email="kim@example.com", at=AT).pk
    )

    assert outcomes.count(people.DuplicateEmail) == RACERS - 1
    assert Customer.objects.count() == 1


def test_statements_at_once_leave_one_in_force(shop):
    customer = CustomerFactory()

    race(
        lambda number: (
            consent.grant(
                customer=customer,
                purpose=Purpose.MARKETING,
                source=f"form {number}",
                wording="Yes.",
                stated_at=AT,
                at=AT,
            ).pk
        )
    )

    assert Consent.objects.count() == RACERS
    assert Consent.objects.filter(superseded_at=None).count() == 1
