"""What a purchase cost is kept in its own currency, and counts in base currency as soon as a rate is known."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from customers.models import Purchase, PurchaseChange
from customers.services import merging, purchases, rates
from tests.customers.importing import HEADER, applied, counts, everything
from tests.factories import CustomerFactory, ExchangeRateFactory, PurchaseFactory

pytestmark = pytest.mark.django_db
FEBRUARY_1 = date(2026, 2, 1)


def known() -> tuple[object, ...]:
    """What is stored of the only purchase's cost."""
    return Purchase.objects.values_list("cost", "rate", "base_cost").get()


def won(customer, now, **changes):
    order = {"source": "shop", "external_id": "O-1", "amount": Decimal(20000), "currency": "KRW"}
    order |= {"purchased_at": datetime(2026, 2, 2, 3, tzinfo=UTC), "cost": Decimal(8001)}
    return purchases.record_purchase(customer=customer, at=now, **(order | changes))


def test_a_cost_that_came_before_its_rate_counts_when_the_rate_comes(shop, now):
    customer = CustomerFactory()
    won(customer, now)
    assert known() == (8001, None, None)
    PurchaseChange.objects.all().delete()

    rates.set_rate(currency="KRW", day=FEBRUARY_1, rate=Decimal("0.00075"))

    assert known() == (8001, Decimal("0.00075"), Decimal("6.001"))  # 6.00075, as finely as amounts
    assert PurchaseChange.objects.get().customer_id == customer.pk


def test_it_counts_at_once_where_the_rate_is_known(shop, now):
    ExchangeRateFactory(currency="KRW", day=FEBRUARY_1, rate=Decimal("0.00075"))

    won(CustomerFactory(), now)

    assert known() == (8001, Decimal("0.00075"), Decimal("6.001"))


def test_a_cost_known_in_base_currency_alone_stays(shop):
    PurchaseFactory(currency="KRW", amount=Decimal(20000), base_cost=Decimal("6.5"))

    rates.set_rate(currency="KRW", day=FEBRUARY_1, rate=Decimal("0.00075"))

    assert known() == (None, Decimal("0.00075"), Decimal("6.5"))


def test_an_unknown_cost_stays_unknown(shop, now):
    won(CustomerFactory(), now, cost=None)

    rates.set_rate(currency="KRW", day=FEBRUARY_1, rate=Decimal("0.00075"))

    assert known() == (None, Decimal("0.00075"), None)


def test_it_moves_with_the_purchase_when_two_records_become_one(shop, now, staff):
    keep, other = CustomerFactory(), CustomerFactory()
    won(other, now)

    merging.merge_customers(keep=keep, other=other, by=staff, at=now)
    rates.set_rate(currency="KRW", day=FEBRUARY_1, rate=Decimal("0.00075"))

    assert Purchase.objects.get().customer_id == keep.pk
    assert known() == (8001, Decimal("0.00075"), Decimal("6.001"))


def imported(line: str, now: datetime):
    return applied(f"{HEADER}\n{line}\n", now)


def test_a_file_keeps_it_until_the_rate_comes_and_changes_nothing_the_second_time(shop, now):
    line = "A-1,C1,,Kim,2026-02-03,20000,KRW,8000.6667,"  # an average, finer than any amount
    imported(line, now)
    rates.set_rate(currency="KRW", day=FEBRUARY_1, rate=Decimal("0.00075"))
    before = everything()

    again = imported(line, now)

    assert known() == (Decimal("8000.667"), Decimal("0.00075"), Decimal("6.001"))
    assert counts(again) == (1, 0, 0, 1, 0)
    assert everything() == before


def test_a_file_gives_the_cost_to_a_purchase_that_still_waits_for_its_rate(shop, now):
    imported("A-1,C1,,Kim,2026-02-03,20000,KRW,,", now)

    batch = imported("A-1,C1,,Kim,2026-02-03,20000,KRW,8000,", now)

    assert counts(batch) == (1, 0, 1, 0, 0)
    assert known() == (8000, None, None)


def test_a_file_leaves_a_purchase_alone_whose_cost_agrees_in_base_currency(shop, now):
    imported("A-1,C1,,Kim,2026-02-03,20,USD,8,", now)
    Purchase.objects.update(cost=None)  # as those from before are

    same = imported("A-1,C1,,Kim,2026-02-03,20,USD,8,", now)
    other = imported("A-1,C1,,Kim,2026-02-03,20,USD,9,", now)

    assert (counts(same), counts(other)) == ((1, 0, 0, 1, 0), (1, 0, 1, 0, 0))
    assert known() == (9, 1, 9)


def test_a_correction_without_a_cost_takes_the_new_days_rate_for_it(shop, now):
    ExchangeRateFactory(currency="KRW", day=FEBRUARY_1, rate=Decimal("0.0007"))
    ExchangeRateFactory(currency="KRW", day=date(2026, 2, 10), rate=Decimal("0.0008"))
    imported("A-1,C1,,Kim,2026-02-03,20000,KRW,8000,", now)
    assert known() == (8000, Decimal("0.0007"), Decimal("5.6"))

    imported("A-1,C1,,Kim,2026-02-11,20000,KRW,,", now)
    assert known() == (8000, Decimal("0.0008"), Decimal("6.4"))

    imported("A-1,C1,,Kim,2026-01-11,20000,KRW,,", now)
    assert known() == (8000, None, None)


def test_a_correction_to_another_currency_does_not_take_the_number_for_its_own(shop, now):
    ExchangeRateFactory(currency="KRW", day=FEBRUARY_1, rate=Decimal("0.0007"))
    imported("A-1,C1,,Kim,2026-02-03,20,USD,8,", now)

    imported("A-1,C1,,Kim,2026-02-03,20000,KRW,,", now)

    assert known() == (None, Decimal("0.0007"), 8)
