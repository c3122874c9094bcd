from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from customers.reports import ProductBought, habits
from tests.factories import (
    CustomerFactory,
    ProductFactory,
    PurchaseFactory,
    PurchaseLineFactory,
    RefundFactory,
)

pytestmark = pytest.mark.django_db
TODAY = date(2026, 3, 2)


def buy(customer, day, amount="50.00", **changes):
    at = datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=3)
    return PurchaseFactory(customer=customer, purchased_at=at, amount=Decimal(amount), **changes)


def test_habits_are_net_of_refunds_and_leave_out_what_has_no_rate(shop):
    customer = CustomerFactory()
    first = buy(customer, date(2026, 1, 5), "50.00", sales_channel="web")
    buy(customer, date(2026, 1, 15), "30.00", sales_channel="web")
    buy(customer, date(2026, 2, 14), "10.00", sales_channel="store")
    buy(customer, date(2026, 2, 14), "9000", currency="KRW")
    RefundFactory(purchase=first, amount=Decimal("20.00"))
    buy(CustomerFactory(), date(2026, 2, 1), "999.00")

    found = habits(customer.pk, today=TODAY)

    assert (found.currency, found.orders, found.without_rate, found.refunded_orders) == ("USD", 4, 1, 1)
    assert (found.first_on, found.last_on) == (date(2026, 1, 5), date(2026, 2, 14))
    assert (found.revenue, found.average_order) == (Decimal(70), Decimal("23.33"))
    assert found.typical_gap_days == 20  # the median of 10 and 30
    assert found.sales_channel == "web"


def test_months_without_a_purchase_are_shown_too(shop):
    customer = CustomerFactory()
    buy(customer, date(2025, 12, 31))
    buy(customer, date(2026, 2, 28), "8.00")

    found = habits(customer.pk, today=TODAY, months=4)

    assert [(month.month, month.orders, month.revenue) for month in found.months] == [
        (date(2025, 12, 1), 1, 50),
        (date(2026, 1, 1), 0, 0),
        (date(2026, 2, 1), 1, 8),
        (date(2026, 3, 1), 0, 0),
    ]


def test_the_products_bought_most_often_come_first(shop):
    customer, tea, cup = CustomerFactory(), ProductFactory(sku="T", name="Tea"), ProductFactory(sku="C")
    for day in (1, 2):
        PurchaseLineFactory(purchase=buy(customer, date(2026, 2, day)), product=tea, quantity=Decimal(2))
    PurchaseLineFactory(purchase=buy(customer, date(2026, 2, 3)), product=cup, quantity=Decimal(9))

    found = habits(customer.pk, today=TODAY, products=1)

    assert found.products == (ProductBought("T", "Tea", "Tea", 2, Decimal(4), date(2026, 2, 2)),)
    assert found.items_per_order == pytest.approx(13 / 3)


def test_who_never_bought_has_no_habits(shop):
    found = habits(CustomerFactory().pk, today=TODAY)

    assert (found.orders, found.revenue, found.products) == (0, 0, ())
    assert (found.first_on, found.average_order, found.typical_gap_days) == (None, None, None)
    assert len(found.months) == 12


@pytest.mark.parametrize("orders", [2, 20])
def test_habits_take_as_many_queries_whatever_the_history(orders, shop, django_assert_num_queries):
    customer = CustomerFactory()
    for number in range(orders):
        PurchaseLineFactory(purchase=buy(customer, date(2026, 1, 1) + timedelta(days=number)))

    with django_assert_num_queries(4):
        habits(customer.pk, today=TODAY)
