from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from crm.common.models import IdempotencyRecord
from crm.common.tasks import tidy
from customers.models import Customer, Purchase, Refund
from customers.services import rates
from tests.factories import CustomerFactory, ExchangeRateFactory, PurchaseFactory

pytestmark = pytest.mark.django_db
PURCHASES = "/api/v1/purchases/"
REFUNDS = "/api/v1/refunds/"


def row(number, buyer, **changes):
    return {
        "external_id": f"O-{number}",
        "customer": str(buyer.public_id),
        "amount": "12.50",
        "currency": "USD",
        "purchased_at": "2026-03-01T15:30:00Z",
        **changes,
    }


def send(api, rows, **headers):
    return api.post(PURCHASES, {"source": "shop", "purchases": rows}, format="json", headers=headers)


def test_orders_sent_in_bulk_are_stored_with_their_lines(api, shop):
    ExchangeRateFactory(currency="KRW", day="2026-01-01", rate=Decimal("0.00075"))
    customer = CustomerFactory(external_id="C-7", email="kim@example.com")
    lines = [{"sku": "TEA", "quantity": 2, "amount": 12.5, "name": "Green tea"}]

    answer = send(
        api,
        [
            row(1, customer, lines=lines),
            row(2, customer, customer_external_id="C-7", amount=10000, currency="KRW"),
        ],
    )

    assert (answer.status_code, answer.json()) == (200, {"created": 2, "same": 0, "errors": []})
    tea, won = Purchase.objects.order_by("external_id")
    assert [(line.product.name, line.quantity, line.amount) for line in tea.lines.all()] == [
        ("Green tea", 2, Decimal("12.5"))
    ]
    assert (won.amount, won.base_amount) == (10000, Decimal("7.5"))


def test_what_an_order_cost_is_shown_as_it_was_sent_and_counts_when_its_rate_comes(api, shop):
    customer = CustomerFactory()
    send(api, [row(1, customer, amount=10000, cost=4001, currency="KRW")])
    waiting = api.get(PURCHASES).json()["results"][0]
    ExchangeRateFactory(currency="KRW", day="2026-01-01", rate=Decimal("0.00075"))
    rates.apply_missing_rates()

    [purchase] = api.get(PURCHASES).json()["results"]

    assert (waiting["cost"], waiting["base_cost"]) == ("4001", None)
    assert (purchase["cost"], purchase["base_cost"]) == ("4001", "3.001")


def test_orders_sent_twice_change_nothing(api, shop):
    customer = CustomerFactory()
    rows = [row(number, customer) for number in range(3)]
    send(api, rows)

    answer = send(api, rows)

    assert answer.json() == {"created": 0, "same": 3, "errors": []}
    assert Purchase.objects.count() == 3


def test_every_bad_row_is_named_and_every_good_one_stored(api, shop):
    customer = CustomerFactory()
    stranger = CustomerFactory.build()
    rows = [
        row(0, customer, amount="NaN"),
        row(1, customer),
        row(2, stranger),
        row(3, customer, amount="12.505"),
        row(1, customer, amount="99.00"),
        row(5, customer, price="1"),
        {},
        row(7, customer, lines=[{"sku": "A", "quantity": "-1", "amount": "1"}]),
        row(8, customer, purchased_at="2026-03-01"),
        row(9, customer, customer=None),
        row(10, customer, lines=[{"sku": "A", "quantity": "1", "amount": "1"}, {"sku": "B", "amount": "x"}]),
    ]

    told = send(api, rows).json()

    assert (told["created"], told["same"]) == (1, 0)
    assert [(error["index"], error["field"], error["code"]) for error in told["errors"]] == [
        (0, "amount", "invalid_input"),
        (2, "customer", "invalid_input"),
        (3, "amount", "invalid_input"),
        (4, "external_id", "duplicate_order"),
        (5, "price", "invalid_input"),
        (6, "external_id", "invalid_input"),
        (7, "lines.quantity", "invalid_input"),
        (8, "purchased_at", "invalid_input"),
        (9, "customer", "invalid_input"),
        (10, "lines.quantity", "invalid_input"),
    ]
    assert [purchase.external_id for purchase in Purchase.objects.all()] == ["O-1"]


@pytest.mark.parametrize(
    "amount", ["Infinity", "1e3", "1_000", "１２", "١٢", "1,234.50", " 12 ", "", True, None, []]
)
def test_an_amount_is_a_plain_number(amount, api, shop):
    [error] = send(api, [row(1, CustomerFactory(), amount=amount)]).json()["errors"]

    assert error["field"] == "amount"
    assert Purchase.objects.count() == 0


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"source": "shop"},
        {"source": "shop", "purchases": []},
        {"source": "", "purchases": [{}]},
        {"source": "shop", "purchases": {}},
        {"source": "shop", "purchases": ["O-1"]},
        {"source": "shop", "purchases": [{}] * 1001},
        [],
        "text",
        None,
    ],
)
def test_a_body_that_is_no_list_of_orders_is_refused_whole(sent, api, shop):
    answer = api.post(PURCHASES, sent, format="json")

    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")
    assert Purchase.objects.count() == 0


def test_purchases_are_listed_by_what_is_asked(api, shop):
    mine = PurchaseFactory(external_id="A-1", purchased_at=datetime(2026, 2, 2, 3, tzinfo=UTC))
    PurchaseFactory(source="market", purchased_at=datetime(2026, 1, 2, 3, tzinfo=UTC))

    def listed(query):
        return [row["external_id"] for row in api.get(f"{PURCHASES}?{query}").json()["results"]]

    assert listed(f"customer={mine.customer.public_id}") == ["A-1"]
    assert listed("source=shop") == ["A-1"]
    assert listed("external_id=A-1") == ["A-1"]
    assert listed("since=2026-02-01T00:00:00Z") == ["A-1"]
    assert listed("until=2026-02-01T00:00:00Z&source=shop") == []


def refund(**changes):
    return {
        "source": "shop",
        "order": "A-1",
        "external_id": "R-1",
        "amount": "20.00",
        "refunded_at": "2026-03-01T00:00:00Z",
        **changes,
    }


def test_a_refund_is_recorded_once(api, shop):
    purchase = PurchaseFactory(external_id="A-1")

    first = api.post(REFUNDS, refund(), format="json")
    again = api.post(REFUNDS, refund(), format="json")

    purchase.refresh_from_db()
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert (purchase.refunded, Refund.objects.count()) == (20, 1)


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"order": "A-2"}, 404, "not_found"),
        ({"source": "market"}, 404, "not_found"),
        ({"amount": "50.01"}, 409, "refund_too_large"),
        ({"amount": "0"}, 400, "invalid_input"),
        ({"amount": "-5"}, 400, "invalid_input"),
        ({"refunded_at": "2026-01-01T00:00:00Z"}, 400, "invalid_input"),
        ({"currency": "USD"}, 400, "invalid"),
    ],
)
def test_a_refund_that_cannot_be_is_refused(change, status, code, api, shop):
    purchase = PurchaseFactory(external_id="A-1")

    answer = api.post(REFUNDS, refund(**change), format="json")

    purchase.refresh_from_db()
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (purchase.refunded, Refund.objects.count()) == (0, 0)


def make(api, name, **headers):
    return api.post("/api/v1/customers/", {"name": name}, format="json", headers=headers)


def test_a_repeated_request_gets_the_first_answer_and_makes_nothing(api):
    first = make(api, "Kim", **{"Idempotency-Key": "k1"})
    again = make(api, "Kim", **{"Idempotency-Key": "k1"})

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert (first.headers.get("Idempotent-Replay"), again.headers["Idempotent-Replay"]) == (None, "true")
    assert Customer.objects.count() == 1


def test_a_key_with_another_body_is_refused(api):
    make(api, "Kim", **{"Idempotency-Key": "k1"})

    answer = make(api, "Lee", **{"Idempotency-Key": "k1"})

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert Customer.objects.count() == 1


def test_a_refused_request_may_be_corrected_under_its_key(api):
    refused = make(api, " \u3000", **{"Idempotency-Key": "k1"})
    made = make(api, "Kim", **{"Idempotency-Key": "k1"})

    assert (refused.status_code, made.status_code) == (400, 201)
    assert IdempotencyRecord.objects.count() == 1


def test_a_key_is_remembered_for_thirty_days(api):
    for key, days in (("old", 31), ("recent", 29)):
        make(api, key, **{"Idempotency-Key": key})
        at = timezone.now() - timedelta(days=days)
        IdempotencyRecord.objects.filter(key=key).update(created_at=at)

    tidy()

    assert list(IdempotencyRecord.objects.values_list("key", flat=True)) == ["recent"]
    assert make(api, "recent", **{"Idempotency-Key": "recent"}).headers["Idempotent-Replay"] == "true"
    assert Customer.objects.count() == 2


def test_one_key_on_two_addresses_is_two_keys(api, shop):
    customer = CustomerFactory()
    make(api, "Kim", **{"Idempotency-Key": "k1"})

    answer = send(api, [row(1, customer)], **{"Idempotency-Key": "k1"})

    assert answer.json()["created"] == 1


def test_one_key_of_two_people_is_two_keys(api, as_user, django_user_model):
    other = django_user_model.objects.create(username="other", is_staff=True, is_superuser=True)
    make(api, "Kim", **{"Idempotency-Key": "k1"})

    answer = make(as_user(other), "Lee", **{"Idempotency-Key": "k1"})

    assert (answer.status_code, answer.json()["name"]) == (201, "Lee")


@pytest.mark.parametrize("key", ["x" * 121, "two words", "ключ"])
def test_a_key_that_cannot_be_told_from_another_is_refused(key, api):
    answer = make(api, "Kim", **{"Idempotency-Key": key})

    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_malformed")
    assert Customer.objects.count() == 0
