from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.common.errors import InvalidInput
from customers import events
from customers.models import Product, Purchase, PurchaseChange, PurchaseLine, Refund
from customers.services import purchases
from tests.factories import CustomerFactory, ExchangeRateFactory, PurchaseFactory, RefundFactory

pytestmark = pytest.mark.django_db
SUNDAY_EVENING = datetime(2026, 3, 1, 15, 30, tzinfo=UTC)  # Monday 00:30 in Seoul


@pytest.fixture
def recorded():
    """The purchases that purchase_recorded told of."""
    heard: list[int] = []

    def hear(purchase, **_rest):
        heard.append(purchase.pk)

    events.purchase_recorded.connect(hear)
    yield heard
    events.purchase_recorded.disconnect(hear)


def order(**changes):
    return {
        "source": "shop",
        "external_id": "O-1",
        "amount": Decimal("49.90"),
        "currency": "USD",
        "purchased_at": SUNDAY_EVENING,
        **changes,
    }


def test_a_purchase_counts_on_the_shops_calendar_day(shop, now, recorded):
    customer = CustomerFactory()

    purchase, created = purchases.record_purchase(customer=customer, at=now, **order())

    assert created is True
    assert purchase.purchased_on == date(2026, 3, 2)
    assert (purchase.rate, purchase.base_amount, purchase.base_cost) == (1, Decimal("49.900"), None)
    assert recorded == [purchase.pk]


def test_a_foreign_amount_takes_the_latest_rate_on_or_before_its_day(shop, now):
    ExchangeRateFactory(currency="KRW", day=date(2026, 3, 1), rate=Decimal("0.0007"))
    ExchangeRateFactory(currency="KRW", day=date(2026, 3, 2), rate=Decimal("0.00075"))
    ExchangeRateFactory(currency="KRW", day=date(2026, 3, 3), rate=Decimal("0.0009"))

    purchase, _created = purchases.record_purchase(
        customer=CustomerFactory(),
        at=now,
        **order(currency="KRW", amount=Decimal(10000), cost=Decimal(4000)),
    )

    assert purchase.rate == Decimal("0.00075")
    assert (purchase.base_amount, purchase.base_cost) == (Decimal("7.500"), Decimal("3.000"))


def test_without_a_rate_a_purchase_has_no_base_amount(shop, now):
    purchase, _created = purchases.record_purchase(
        customer=CustomerFactory(), at=now, **order(currency="KRW", amount=Decimal(10000))
    )

    assert (purchase.rate, purchase.base_amount) == (None, None)
    assert list(Purchase.objects.without_rate()) == [purchase]


def test_recording_a_purchase_twice_is_harmless(shop, now, recorded):
    customer = CustomerFactory()
    first, _created = purchases.record_purchase(customer=customer, at=now, **order())

    again, created = purchases.record_purchase(customer=customer, at=now, **order(amount=Decimal("49.9")))

    assert (again.pk, created) == (first.pk, False)
    assert Purchase.objects.count() == 1
    assert recorded == [first.pk]


@pytest.mark.parametrize(
    "change",
    [
        {"amount": Decimal("50.00")},
        {"currency": "EUR"},
        {"purchased_at": SUNDAY_EVENING + timedelta(seconds=1)},
        {"customer": None},
    ],
)
def test_an_order_id_with_other_facts_is_refused(change, shop, now):
    customer = CustomerFactory()
    purchases.record_purchase(customer=customer, at=now, **order())
    who = CustomerFactory() if "customer" in change else customer
    change.pop("customer", None)

    with pytest.raises(purchases.DuplicateOrder):
        purchases.record_purchase(customer=who, at=now, **order(**change))

    stored = Purchase.objects.get()
    assert (stored.customer, stored.amount, stored.currency) == (customer, Decimal("49.9"), "USD")


def test_the_same_order_id_in_another_shop_is_another_order(shop, now):
    customer = CustomerFactory()
    purchases.record_purchase(customer=customer, at=now, **order())

    _purchase, created = purchases.record_purchase(customer=customer, at=now, **order(source="market"))

    assert created is True
    assert Purchase.objects.count() == 2


def test_lines_are_stored_and_new_products_made(shop, now):
    Product.objects.create(sku="TEA", name="Green tea", category="Tea")
    lines = [
        {"sku": "TEA", "quantity": Decimal(2), "amount": Decimal("29.90"), "name": "Renamed"},
        {"sku": "CUP", "quantity": Decimal("1.5"), "amount": Decimal("20.00"), "name": "Cup"},
    ]

    purchase, _created = purchases.record_purchase(customer=CustomerFactory(), at=now, **order(lines=lines))

    stored = PurchaseLine.objects.filter(purchase=purchase).order_by("position")
    assert [(line.product.name, line.quantity, line.amount) for line in stored] == [
        ("Green tea", 2, Decimal("29.90")),
        ("Cup", Decimal("1.5"), 20),
    ]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"amount": Decimal("NaN")}, "amount"),
        ({"amount": Decimal("Infinity")}, "amount"),
        ({"amount": Decimal("-1")}, "amount"),
        ({"amount": Decimal("1.005")}, "amount"),
        ({"amount": Decimal("1e15")}, "amount"),
        ({"amount": 10.5}, "amount"),
        ({"amount": Decimal("0.5"), "currency": "KRW"}, "amount"),
        ({"currency": "usd"}, "currency"),
        ({"currency": "QQQ"}, "currency"),
        ({"currency": "KRW "}, "currency"),
        ({"currency": None}, "currency"),
        ({"cost": Decimal("-1")}, "cost"),
        ({"external_id": " "}, "external_id"),
        ({"external_id": "x" * 101}, "external_id"),
        ({"source": ""}, "source"),
        ({"purchased_at": datetime(2026, 3, 1)}, "purchased_at"),
        ({"purchased_at": datetime(1, 1, 1, tzinfo=UTC)}, "purchased_at"),
        ({"purchased_at": datetime(2026, 3, 4, tzinfo=UTC)}, "purchased_at"),
        ({"sales_channel": "x" * 41}, "sales_channel"),
        ({"lines": [{"sku": "", "quantity": Decimal(1), "amount": Decimal(1)}]}, "lines.sku"),
        ({"lines": [{"sku": "A", "quantity": Decimal(0), "amount": Decimal(1)}]}, "lines.quantity"),
        ({"lines": [{"sku": "A", "quantity": Decimal("NaN"), "amount": Decimal(1)}]}, "lines.quantity"),
        ({"lines": [{"sku": "A", "quantity": Decimal(1), "amount": Decimal(-1)}]}, "lines.amount"),
    ],
)
def test_a_malformed_purchase_is_refused_by_field_and_nothing_is_stored(change, field, shop, now):
    with pytest.raises(InvalidInput) as refusal:
        purchases.record_purchase(customer=CustomerFactory(), at=now, **order(**change))

    assert refusal.value.detail["field"] == field
    assert Purchase.objects.count() == 0


def bulk_row(buyer, number, **changes):
    return {
        "customer": buyer.public_id,
        "external_id": f"B-{number}",
        "amount": Decimal(10),
        "currency": "USD",
        "purchased_at": SUNDAY_EVENING,
        **changes,
    }


def test_many_purchases_find_their_customers_by_any_name(shop, now):
    customer = CustomerFactory(external_id="C-7", email="kim@example.com")
    rows = [
        bulk_row(customer, 1),
        bulk_row(customer, 2, customer=None, customer_external_id="C-7"),
        bulk_row(customer, 3, customer=None, email="KIM@example.com"),
    ]

    result = purchases.record_purchases(rows=rows, source="shop", at=now)

    assert (result.created, result.same, result.errors) == (3, 0, [])
    assert Purchase.objects.filter(customer=customer).count() == 3


def test_every_valid_row_is_stored_and_every_other_named(shop, now):
    customer, stranger = CustomerFactory(), CustomerFactory.build()
    PurchaseFactory(customer=customer, external_id="B-4", amount=Decimal(99))
    rows = [
        bulk_row(customer, 0),
        bulk_row(stranger, 1),
        bulk_row(customer, 2, amount=Decimal("NaN")),
        bulk_row(customer, 0),
        bulk_row(customer, 4),
        bulk_row(customer, 5, customer=None),
        bulk_row(customer, 0, amount=Decimal(11)),
        bulk_row(customer, 7, currency="KRW"),
    ]

    result = purchases.record_purchases(rows=rows, source="shop", at=now)

    assert (result.created, result.same) == (2, 1)
    assert [(e["index"], e["field"], e["code"]) for e in result.errors] == [
        (1, "customer", "invalid_input"),
        (2, "amount", "invalid_input"),
        (4, "external_id", "duplicate_order"),
        (5, "customer", "invalid_input"),
        (6, "external_id", "duplicate_order"),
    ]
    assert set(Purchase.objects.values_list("external_id", flat=True)) == {"B-0", "B-4", "B-7"}


def test_many_purchases_sent_twice_change_nothing(shop, now):
    rows = [bulk_row(CustomerFactory(), number) for number in range(5)]
    purchases.record_purchases(rows=rows, source="shop", at=now)

    result = purchases.record_purchases(rows=rows, source="shop", at=now)

    assert (result.created, result.same, result.errors) == (0, 5, [])
    assert Purchase.objects.count() == 5


def test_many_purchases_take_as_many_statements_as_few(shop, now):
    def statements(first, count):
        rows = [
            bulk_row(
                customer,
                number,
                lines=[{"sku": f"S{number}", "quantity": Decimal(1), "amount": Decimal(10)}],
            )
            for number in range(first, first + count)
        ]
        with CaptureQueriesContext(connection) as queries:
            purchases.record_purchases(rows=rows, source="shop", at=now)
        return len(queries)

    customer = CustomerFactory()

    few, many = statements(0, 2), statements(100, 200)

    assert few == many
    assert Purchase.objects.count() == 202


def test_purchases_and_refunds_mark_their_customer_for_the_night(shop, now):
    customer = CustomerFactory()
    purchase, _created = purchases.record_purchase(customer=customer, at=now, **order())
    PurchaseChange.objects.all().delete()

    purchases.refund(
        purchase=purchase, external_id="R", amount=Decimal(1), refunded_at=SUNDAY_EVENING, at=now
    )

    assert set(PurchaseChange.objects.values_list("customer_id", flat=True)) == {customer.pk}


def test_refunds_add_up_on_their_purchase_in_both_currencies(shop, now):
    purchase = PurchaseFactory(
        currency="KRW", amount=Decimal(10000), rate=Decimal("0.00075"), purchased_at=SUNDAY_EVENING
    )

    for number, amount in enumerate([Decimal(4000), Decimal(6000)]):
        purchases.refund(
            purchase=purchase,
            external_id=f"R-{number}",
            amount=amount,
            refunded_at=now,
            reason="Broken",
            at=now,
        )

    purchase.refresh_from_db()
    assert (purchase.refunded, purchase.base_refunded) == (10000, Decimal("7.500"))
    assert purchase.base_amount == purchase.base_refunded


def test_a_refund_sent_twice_is_paid_once(shop, now):
    purchase = PurchaseFactory()
    first = purchases.refund(purchase=purchase, external_id="R", amount=Decimal(20), refunded_at=now, at=now)

    again = purchases.refund(purchase=purchase, external_id="R", amount=Decimal(20), refunded_at=now, at=now)

    purchase.refresh_from_db()
    assert again.pk == first.pk
    assert purchase.refunded == 20


def test_a_refund_id_with_another_amount_is_refused(shop, now):
    purchase = PurchaseFactory()
    purchases.refund(purchase=purchase, external_id="R", amount=Decimal(20), refunded_at=now, at=now)

    with pytest.raises(purchases.DuplicateRefund):
        purchases.refund(purchase=purchase, external_id="R", amount=Decimal(21), refunded_at=now, at=now)

    purchase.refresh_from_db()
    assert purchase.refunded == 20


def test_more_than_what_is_left_cannot_be_refunded(shop, now):
    purchase = PurchaseFactory(amount=Decimal(50))
    RefundFactory(purchase=purchase, amount=Decimal(30))

    with pytest.raises(purchases.RefundTooLarge) as refusal:
        purchases.refund(purchase=purchase, external_id="R", amount=Decimal(30), refunded_at=now, at=now)

    purchase.refresh_from_db()
    assert refusal.value.detail == {"left": "20.00", "currency": "USD"}
    assert purchase.refunded == 30


@pytest.mark.parametrize(
    ("amount", "days", "field"),
    [
        (Decimal(0), 0, "amount"),
        (Decimal("-5"), 0, "amount"),
        (Decimal("0.001"), 0, "amount"),
        (Decimal(5), -60, "refunded_at"),
        (Decimal(5), 2, "refunded_at"),
    ],
)
def test_a_malformed_refund_is_refused_by_field(amount, days, field, shop, now):
    purchase = PurchaseFactory()

    with pytest.raises(InvalidInput) as refusal:
        purchases.refund(
            purchase=purchase,
            external_id="R",
            amount=amount,
            refunded_at=now + timedelta(days=days),
            at=now,
        )

    assert refusal.value.detail["field"] == field
    assert Refund.objects.count() == 0
