"""PostgreSQL notes what was changed in a purchase after it was recorded, whoever changes it."""

from datetime import date
from decimal import Decimal

import pytest
from django.db.models import F

from customers.models import Purchase, PurchaseCorrection
from tests.factories import CustomerFactory, PurchaseFactory, RefundFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def purchase(shop) -> Purchase:
    return PurchaseFactory()


def noted() -> list[tuple[int, int, int, str]]:
    names = ("purchase_id", "customer_id", "former_customer_id", "kind")
    return list(PurchaseCorrection.objects.order_by("pk").values_list(*names))


@pytest.mark.parametrize(
    "change",
    [
        {"purchased_on": date(2026, 1, 1)},
        {"amount": 51, "base_amount": 51},
        {"base_cost": Decimal("7.5")},
        {"rate": None, "base_amount": None},
    ],
)
def test_a_change_of_day_amount_or_cost_is_noted_once(change, purchase):
    for _twice in range(2):
        Purchase.objects.filter(pk=purchase.pk).update(**change)

    who = purchase.customer_id
    assert noted() == [(purchase.pk, who, who, "facts")]


def test_a_rate_that_came_is_told_from_an_amount_that_was_corrected_with_it(shop):
    waits, corrected = PurchaseFactory.create_batch(2, currency="KRW")

    Purchase.objects.filter(pk=waits.pk).update(rate=2, base_amount=100)
    Purchase.objects.filter(pk=corrected.pk).update(amount=60, rate=2, base_amount=120)

    assert [(pk, kind) for pk, _who, _former, kind in noted()] == [
        (waits.pk, "rate"),
        (corrected.pk, "facts"),
    ]


def test_whose_a_purchase_was_is_kept(purchase):
    other = CustomerFactory()

    Purchase.objects.filter(pk=purchase.pk).update(customer=other)

    assert noted() == [(purchase.pk, other.pk, purchase.customer_id, "moved")]


def test_what_is_recorded_or_given_back_or_told_beside_the_figures_is_no_correction(purchase):
    RefundFactory(purchase=purchase)
    Purchase.objects.update(sales_channel="web", external_id=F("external_id"))

    assert noted() == []
