"""Purchase summaries: one row per customer, exact after any change to any purchase."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from django.db import connection

from customers.models import Purchase, PurchaseChange
from ltv.core import summary
from ltv.models import LtvRun, PurchaseSummary
from ltv.services import figures, histories, summaries
from tests.factories import CustomerFactory, PurchaseFactory, PurchaseSummaryFactory, RefundFactory

pytestmark = pytest.mark.django_db
AS_OF = date(2026, 3, 2)
RATE = Decimal("0.3")


@pytest.fixture(autouse=True)
def _shop(shop):
    return shop


def refresh() -> int:
    return summaries.refresh(as_of=AS_OF, margin_rate=RATE)


def of(customer) -> PurchaseSummary:
    return PurchaseSummary.objects.get(customer=customer)


def buy(customer, day: date, amount: str, **facts) -> object:
    at = datetime.fromisoformat(f"{day}T03:00+00:00")  # noon in Seoul
    return PurchaseFactory(customer=customer, purchased_at=at, amount=Decimal(amount), **facts)


def test_purchases_of_one_business_day_are_one_purchase_day():
    customer = CustomerFactory()
    buy(customer, date(2026, 1, 5), "340")
    buy(customer, date(2026, 1, 5), "490")
    buy(customer, date(2026, 2, 5), "490")

    refresh()

    found = of(customer)
    assert (found.days, found.orders) == (2, 3)
    assert (found.first_day, found.last_day) == (date(2026, 1, 5), date(2026, 2, 5))
    assert (found.first_revenue, found.revenue) == (Decimal("830"), Decimal("1320"))


def test_margin_is_revenue_less_cost_where_cost_is_known_and_the_shops_rate_elsewhere():
    customer = CustomerFactory()
    buy(customer, date(2026, 1, 5), "100", base_cost=Decimal("40"))
    buy(customer, date(2026, 1, 6), "100")

    refresh()

    assert of(customer).margin == Decimal("90")


def test_a_refund_counts_on_the_day_of_its_purchase_and_takes_the_cost_back_in_proportion():
    customer = CustomerFactory()
    purchase = buy(customer, date(2026, 1, 5), "100", base_cost=Decimal("40"))
    refresh()

    RefundFactory(
        purchase=purchase, amount=Decimal("25"), refunded_at=purchase.purchased_at + timedelta(days=50)
    )
    refresh()

    found = of(customer)
    assert (found.revenue, found.margin) == (Decimal("75"), Decimal("45"))
    assert found.last_day == date(2026, 1, 5)


def test_a_fully_refunded_purchase_is_no_purchase_day_but_a_free_one_is():
    returned, gifted = CustomerFactory(), CustomerFactory()
    RefundFactory(purchase=buy(returned, date(2026, 1, 5), "100"), amount=Decimal("100"))
    buy(gifted, date(2026, 1, 5), "0")

    refresh()

    assert not PurchaseSummary.objects.filter(customer=returned).exists()
    assert (of(gifted).days, of(gifted).revenue) == (1, Decimal(0))


def test_a_summary_goes_when_its_last_purchase_is_refunded():
    customer = CustomerFactory()
    purchase = buy(customer, date(2026, 1, 5), "100")
    refresh()

    RefundFactory(purchase=purchase, amount=Decimal("100"))
    refresh()

    assert not PurchaseSummary.objects.filter(customer=customer).exists()


def test_a_purchase_without_an_exchange_rate_is_counted_nowhere():
    customer = CustomerFactory()
    buy(customer, date(2026, 1, 5), "9000", currency="JPY")

    refresh()

    assert not PurchaseSummary.objects.filter(customer=customer).exists()


def test_todays_purchase_waits_for_the_next_night():
    customer = CustomerFactory()
    buy(customer, AS_OF, "100")

    refresh()
    tonight = PurchaseSummary.objects.filter(customer=customer).exists()
    summaries.refresh(as_of=AS_OF + timedelta(days=1), margin_rate=RATE)

    assert not tonight
    assert of(customer).revenue == Decimal("100")


def test_moving_a_purchase_to_another_customer_corrects_both():
    giver, taker = CustomerFactory(), CustomerFactory()
    purchase = buy(giver, date(2026, 1, 5), "100")
    refresh()

    purchase.customer = taker
    purchase.save()
    refresh()

    assert not PurchaseSummary.objects.filter(customer=giver).exists()
    assert of(taker).revenue == Decimal("100")


def test_only_changed_customers_are_taken_up_and_the_queue_is_left_empty():
    for customer in CustomerFactory.create_batch(3):
        buy(customer, date(2026, 1, 5), "100")
    refresh()

    buy(customer, date(2026, 1, 6), "100")

    assert refresh() == 1
    assert PurchaseChange.objects.count() == 0


def test_the_database_and_the_library_summarise_alike():
    dice = np.random.default_rng(5)
    customers = CustomerFactory.create_batch(6)
    for _ in range(60):
        purchase = buy(
            customers[dice.integers(6)], date(2026, 1, 1) + timedelta(days=int(dice.integers(25))),
            f"{dice.integers(0, 5000) / 100:.2f}",
        )  # fmt: skip
        share = dice.choice([0, 0, 0, 1, Decimal("0.4")])
        if returned := round(purchase.amount * share, 2):
            at = purchase.purchased_at + timedelta(days=3)
            RefundFactory(purchase=purchase, amount=returned, refunded_at=at)
    refresh()

    base = figures.Base.of(histories.read(), LtvRun(as_of=AS_OF, margin_rate=RATE))

    found = summary.summarise(_log(), AS_OF - timedelta(days=1))
    assert list(found.customers) == list(base.customer_id[base.bought])
    for name in ("x", "t_x", "T", "m"):
        assert getattr(found, name) == pytest.approx(getattr(base.buyers, name), abs=1e-9)


def _log() -> summary.Log:
    """Every purchase and every refund, a row each, as an export would list them."""
    rows = [
        row
        for purchase in Purchase.objects.all()
        for row in [
            (purchase.customer_id, purchase.purchased_on, purchase.amount, purchase.pk),
            *(
                (purchase.customer_id, refund.refunded_at.date(), -refund.amount, purchase.pk)
                for refund in purchase.refunds.all()
            ),
        ]
    ]
    customers, days, amounts, orders = zip(*rows, strict=True)
    return summary.purchase_log(
        customers, np.array(days, "datetime64[D]"), [float(a) for a in amounts], orders
    )


def test_a_deleted_customer_takes_the_summary_along_whoever_deletes_it():
    customer = CustomerFactory()
    PurchaseSummaryFactory(customer=customer)

    with connection.cursor() as cursor:  # not Django, which would delete it itself
        cursor.execute("DELETE FROM customers_customer WHERE id = %s", [customer.pk])

    assert not PurchaseSummary.objects.exists()
