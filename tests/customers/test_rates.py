from datetime import date
from decimal import Decimal

import pytest

from crm.common.errors import InvalidInput
from customers.models import ExchangeRate, MarketingSpend, PurchaseChange
from customers.reports import MissingRate, missing_rates
from customers.services import rates
from tests.factories import ChannelFactory, ExchangeRateFactory, PurchaseFactory, RefundFactory, SpendFactory

pytestmark = pytest.mark.django_db
FEBRUARY_1 = date(2026, 2, 1)


def test_a_rate_completes_the_purchases_that_waited_for_it(shop):
    waiting = PurchaseFactory(currency="KRW", amount=Decimal(20000))
    RefundFactory(purchase=waiting, amount=Decimal(4000))
    PurchaseChange.objects.all().delete()

    rates.set_rate(currency="KRW", day=FEBRUARY_1, rate=Decimal("0.00075"))

    waiting.refresh_from_db()
    assert (waiting.rate, waiting.base_amount) == (Decimal("0.00075"), Decimal(15))
    assert waiting.base_refunded == Decimal(3)
    assert PurchaseChange.objects.get().customer_id == waiting.customer_id


def test_a_purchase_before_the_first_rate_goes_on_waiting(shop):
    early = PurchaseFactory(currency="KRW", amount=Decimal(20000))

    rates.set_rate(currency="KRW", day=date(2026, 2, 3), rate=Decimal("0.00075"))

    early.refresh_from_db()
    assert early.base_amount is None


def test_a_corrected_rate_leaves_counted_purchases_alone(shop):
    counted = PurchaseFactory(currency="KRW", amount=Decimal(20000), rate=Decimal("0.001"))

    rates.set_rate(currency="KRW", day=FEBRUARY_1, rate=Decimal("0.00075"))
    rates.set_rate(currency="KRW", day=FEBRUARY_1, rate=Decimal("0.0008"))

    counted.refresh_from_db()
    assert counted.base_amount == 20
    assert ExchangeRate.objects.get().rate == Decimal("0.0008")


def test_applying_rates_counts_what_it_completed(shop):
    PurchaseFactory.create_batch(2, currency="KRW", amount=Decimal(20000))
    PurchaseFactory(currency="JPY", amount=Decimal(2000))
    ExchangeRateFactory(currency="KRW", day=FEBRUARY_1)

    assert rates.apply_missing_rates() == 2
    assert rates.apply_missing_rates() == 0


def test_missing_rates_are_listed_by_currency_in_that_currency(shop):
    PurchaseFactory.create_batch(2, currency="KRW", amount=Decimal(20000))
    PurchaseFactory(currency="JPY", amount=Decimal(2000))
    PurchaseFactory()

    day = date(2026, 2, 2)
    assert missing_rates() == [
        MissingRate("KRW", 2, Decimal(40000), day, day),
        MissingRate("JPY", 1, Decimal(2000), day, day),
    ]


def test_spend_waits_for_a_rate_until_the_end_of_its_month(shop):
    spend = SpendFactory(currency="KRW", amount=Decimal(100000), month=date(2026, 1, 1))

    rates.set_rate(currency="KRW", day=date(2026, 1, 31), rate=Decimal("0.00075"))

    spend.refresh_from_db()
    assert spend.base_amount == 75


def test_spend_said_again_is_corrected(shop):
    channel = ChannelFactory()
    for amount in (Decimal(100), Decimal("120.50")):
        rates.record_spend(channel=channel, month=date(2026, 1, 17), amount=amount, currency="USD")

    spend = MarketingSpend.objects.get()
    assert (spend.month, spend.amount, spend.base_amount) == (
        date(2026, 1, 1),
        Decimal("120.5"),
        Decimal("120.5"),
    )


@pytest.mark.parametrize(
    ("currency", "rate", "field"),
    [
        ("USD", "1", "currency"),
        ("krw", "1", "currency"),
        ("QQQ", "1", "currency"),
        ("KRW", "0", "rate"),
        ("KRW", "-1", "rate"),
        ("KRW", "NaN", "rate"),
        ("KRW", "0.0000000001", "rate"),
        ("KRW", "1e9", "rate"),
    ],
)
def test_a_malformed_rate_is_refused_by_field(currency, rate, field, shop):
    with pytest.raises(InvalidInput) as refusal:
        rates.set_rate(currency=currency, day=FEBRUARY_1, rate=Decimal(rate))

    assert refusal.value.detail["field"] == field
    assert ExchangeRate.objects.count() == 0
