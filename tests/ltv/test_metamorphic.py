"""How figures answer to a change of the facts, whatever the figures are."""

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import permutations
from zoneinfo import ZoneInfo

import pytest

from customers.models import Customer
from customers.services import purchases, rates
from ltv.models import CurrentRun, CustomerLtv
from ltv.services import night
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db
BASKETS = [("100.10", "USD", 40), ("20.05", "USD", 40), ("3000", "JPY", 9), ("0.99", "EUR", 1)]
FIGURES = (
    "orders", "frequency", "recency_days", "age_days", "revenue", "margin", "average_purchase",
    "purchases_per_month", "formula_ltv", "margin_clv", "clv", "p_alive", "p_no_purchase", "next_purchase_on",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _world(shop, now):
    for currency, rate in (("JPY", "0.0067"), ("EUR", "1.077777777")):
        rates.set_rate(currency=currency, day=(now - timedelta(days=99)).date(), rate=Decimal(rate))
    return shop


def buy(customer: Customer, now: datetime, order: int, amount: str, currency: str, ago: int):
    bought, _new = purchases.record_purchase(
        customer=customer,
        source="shop",
        external_id=f"{customer.pk}-{order}",
        amount=Decimal(amount),
        currency=currency,
        purchased_at=now - timedelta(days=ago),
        at=now,
    )
    return bought


def of(customer: Customer) -> tuple[object, ...]:
    return CustomerLtv.objects.values_list(*FIGURES).get(customer=customer)


def a_night(now: datetime) -> None:
    night.request_recalculation(by=None, now=now)
    assert night.run_due(clock=lambda: now) == 1


def test_the_order_in_which_purchases_come_to_be_known_does_not_matter(now):
    people = []
    for order in permutations(range(len(BASKETS))):
        people.append(CustomerFactory())
        for number in order:
            buy(people[-1], now, number, *BASKETS[number])

    a_night(now)

    assert len({of(one) for one in people}) == 1


def test_a_purchase_split_in_two_on_its_day_is_worth_the_same(now):
    whole, split = CustomerFactory.create_batch(2)
    for one in (whole, split):
        buy(one, now, 0, "75", "USD", 50)
    buy(whole, now, 1, "90.03", "USD", 10)
    for number, part in enumerate(["30.02", "60.01"], start=1):
        buy(split, now, number, part, "USD", 10)

    a_night(now)

    one, other = (CustomerLtv.objects.get(customer=who) for who in (whole, split))
    for figure in ("frequency", "recency_days", "age_days", "revenue", "margin", "clv", "p_alive"):
        assert getattr(one, figure) == getattr(other, figure), figure
    assert (one.orders, other.orders) == (2, 3)
    assert one.formula_ltv == pytest.approx(other.formula_ltv, abs=Decimal("0.001"))


@pytest.mark.parametrize(("amount", "in_base"), [("0.01", "0.011"), ("12.34", "13.300"), ("50.00", "53.889")])
def test_a_refund_lowers_revenue_by_exactly_itself(amount, in_base, now):
    customer = CustomerFactory()
    buy(customer, now, 0, "80", "USD", 60)
    bought = buy(customer, now, 1, "50", "EUR", 5)
    a_night(now)
    before = CustomerLtv.objects.get(customer=customer).revenue

    purchases.refund(purchase=bought, external_id="R", amount=Decimal(amount), refunded_at=now, at=now)
    a_night(now)

    assert before - CustomerLtv.objects.get(customer=customer).revenue == Decimal(in_base)


def test_the_same_night_twice_changes_nothing(now):
    people = CustomerFactory.create_batch(3)
    for number, basket in enumerate(BASKETS):
        buy(people[number % 3], now, number, *basket)
    a_night(now)
    before = [of(one) for one in people]

    a_night(now)

    assert [of(one) for one in people] == before


@pytest.mark.parametrize("zone", ["Asia/Seoul", "America/New_York", "Pacific/Kiritimati"])
def test_the_day_ends_at_the_shops_midnight(zone, shop):
    shop.time_zone = zone
    shop.save()
    midnight = datetime(2026, 3, 2, tzinfo=ZoneInfo(zone))
    before, after = CustomerFactory.create_batch(2)
    buy(before, midnight - timedelta(seconds=1), 0, "10", "USD", 0)
    buy(after, midnight + timedelta(seconds=1), 0, "10", "USD", 0)

    night.run_due(clock=lambda: midnight - timedelta(seconds=1))
    yesterday = CurrentRun.objects.get().run.as_of, counted()
    night.run_due(clock=lambda: midnight + timedelta(seconds=1))
    today = CurrentRun.objects.get().run.as_of, counted()

    assert yesterday == ((midnight - timedelta(days=1)).date(), set())
    assert today == (midnight.date(), {before.pk})


def counted() -> set[int]:
    return set(CustomerLtv.objects.filter(orders__gt=0).values_list("customer_id", flat=True))
