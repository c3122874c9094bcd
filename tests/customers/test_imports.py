"""Importing purchases: check first, apply in chunks, the same file twice changes nothing."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.common.errors import InvalidInput
from crm.common.models import Shop
from customers.choices import ImportState
from customers.core.mapping import Mapping
from customers.models import (
    Consent,
    Customer,
    ImportBatch,
    ImportRow,
    Product,
    Purchase,
    PurchaseChange,
    PurchaseLine,
)
from customers.services import imports
from customers.services.imports import applying
from tests.factories import (
    CustomerFactory,
    ExchangeRateFactory,
    PurchaseFactory,
    RefundFactory,
)

pytestmark = pytest.mark.django_db

COLUMNS = {
    "order_id": "order", "customer_id": "id", "email": "mail", "name": "name", "date": "day", "amount": "total",
    "currency": "currency", "cost": "cost", "sales_channel": "channel",
}  # fmt: skip
LINES = {
    "sku": "sku",
    "product": "product",
    "category": "category",
    "quantity": "qty",
    "line_amount": "price",
}
HEADER = "order,id,mail,name,day,total,currency,cost,channel"
GOOD = "A-1,C1,kim@mail.example,김영수,2026-02-03,12.50,USD,4.00,web"


@pytest.fixture(autouse=True)
def _uploads(settings: object, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path  # type: ignore[attr-defined]


def upload(text: str | bytes, now: datetime, **changes: object) -> ImportBatch:
    data = text.encode() if isinstance(text, str) else text
    mapping = Mapping(**{"columns": COLUMNS, **changes})  # type: ignore[arg-type]
    return imports.upload(file_name="orders.csv", data=data, source="shop", mapping=mapping, at=now)


def checked(text: str | bytes, now: datetime, **changes: object) -> ImportBatch:
    batch = upload(text, now, **changes)
    imports.check(batch=batch, at=now)
    return batch


def applied(text: str | bytes, now: datetime, **changes: object) -> ImportBatch:
    batch = checked(text, now, **changes)
    assert batch.state == ImportState.CHECKED, batch.error
    imports.confirm(batch=batch)
    imports.apply(batch=batch, clock=lambda: now)
    return batch


def counts(batch: ImportBatch) -> tuple[int, int, int, int, int]:
    return batch.rows, batch.to_create, batch.to_update, batch.same, batch.errors


def reasons(batch: ImportBatch) -> dict[int, str]:
    return dict(imports.errors(batch, limit=100))


def everything() -> tuple[list[tuple[object, ...]], ...]:
    return tuple(
        list(model.objects.order_by("pk").values_list())
        for model in (Customer, Purchase, PurchaseLine, Product, PurchaseChange, Consent)
    )


def test_a_check_counts_and_writes_nothing_else(shop: Shop, now: datetime) -> None:
    before = everything()

    batch = checked(f"{HEADER}\n{GOOD}\nA-2,,,,2026-02-04,1,USD,,\n", now)

    assert batch.state == ImportState.CHECKED
    assert counts(batch) == (2, 1, 0, 0, 1)
    assert batch.new_customers == 1
    assert reasons(batch) == {3: "customer id: is empty"}
    assert everything() == before


def test_a_row_becomes_a_customer_and_a_purchase_in_base_currency(shop: Shop, now: datetime) -> None:
    batch = applied(f"{HEADER}\n{GOOD}\n", now)

    customer = Customer.objects.get()
    purchase = Purchase.objects.get()
    assert batch.state == ImportState.APPLIED
    assert batch.finished_at == now
    assert (customer.external_id, customer.email, customer.name) == ("C1", "kim@mail.example", "김영수")
    assert customer.email_normalised == "kim@mail.example"
    assert customer.time_zone == "Asia/Seoul"
    assert customer.acquired_at == datetime(2026, 2, 2, 15, 0, tzinfo=UTC)
    assert (purchase.source, purchase.external_id, purchase.customer) == ("shop", "A-1", customer)
    assert purchase.purchased_at == datetime(2026, 2, 2, 15, 0, tzinfo=UTC)
    assert purchase.purchased_on == date(2026, 2, 3)
    assert (purchase.amount, purchase.currency, purchase.rate) == (Decimal("12.5"), "USD", 1)
    assert (purchase.base_amount, purchase.base_cost) == (Decimal("12.5"), Decimal(4))
    assert purchase.sales_channel == "web"


def test_nobody_gets_a_consent_from_an_import(shop: Shop, now: datetime) -> None:
    applied(f"{HEADER},marketing consent\n{GOOD},yes\n", now)

    assert Customer.objects.count() == 1
    assert Consent.objects.count() == 0


def test_the_same_file_twice_changes_nothing(shop: Shop, now: datetime) -> None:
    text = f"{HEADER}\n{GOOD}\nA-2,C1,,Kim Young-su,2026-02-04T09:30:00+09:00,3,USD,,\n"
    applied(text, now)
    before = everything()

    again = applied(text, now)

    assert counts(again) == (2, 0, 0, 2, 0)
    assert again.state == ImportState.APPLIED
    assert everything() == before


def test_a_blank_keeps_what_is_stored_and_a_value_replaces_it(shop: Shop, now: datetime) -> None:
    applied(f"{HEADER}\n{GOOD}\n", now)

    batch = applied(f"{HEADER}\nA-1,C1,,,2026-02-03,13,USD,,\n", now)

    purchase, customer = Purchase.objects.get(), Customer.objects.get()
    assert counts(batch) == (1, 0, 1, 0, 0)
    assert (purchase.amount, purchase.base_amount) == (13, 13)
    assert (purchase.base_cost, purchase.sales_channel) == (4, "web")
    assert (customer.name, customer.email) == ("김영수", "kim@mail.example")


def test_a_refund_keeps_its_share_when_a_purchase_is_updated(shop: Shop, now: datetime) -> None:
    ExchangeRateFactory(currency="EUR", day=date(2026, 1, 1), rate=Decimal("1.1"))
    applied(f"{HEADER}\nA-1,C1,,Kim,2025-12-31,10,USD,,\n", now)
    RefundFactory(purchase=Purchase.objects.get(), amount=Decimal(4))

    raised = applied(f"{HEADER}\nA-1,C1,,,2026-02-01,12,USD,,\n", now)
    lowered = checked(f"{HEADER}\nA-1,C1,,,2026-02-01,3,USD,,\n", now)
    other_money = checked(f"{HEADER}\nA-1,C1,,,2026-02-01,12,EUR,,\n", now)

    purchase = Purchase.objects.get()
    assert raised.to_update == 1
    assert (purchase.amount, purchase.refunded, purchase.base_refunded) == (12, 4, 4)
    assert reasons(lowered) == {2: "amount: is less than what has been refunded: 4"}
    assert reasons(other_money) == {
        2: "currency: cannot change from USD: part of the purchase has been refunded"
    }


def test_orders_of_several_rows_become_lines_wherever_the_rows_stand(shop: Shop, now: datetime) -> None:
    head = "order,id,mail,name,day,total,currency,cost,channel,sku,product,category,qty,price"
    text = (
        f"{head}\n"
        "A-1,C1,,Kim,2026-02-03,30,USD,,,TEA,Green tea,Tea,2,10\n"
        "A-2,C2,,Lee,2026-02-03,,USD,,,CUP,Cup,Ware,,7.50\n"
        "A-1,,,,,,,,,CUP,,,1,20\n"
    )
    columns = {**COLUMNS, **LINES}

    batch = applied(text, now, columns=columns)

    found = PurchaseLine.objects.order_by("purchase__external_id", "position").values_list(
        "purchase__external_id", "position", "product__sku", "quantity", "amount"
    )
    assert counts(batch) == (3, 3, 0, 0, 0)
    assert list(found) == [
        ("A-1", 1, "TEA", 2, 10),
        ("A-1", 2, "CUP", 1, 20),
        ("A-2", 1, "CUP", 1, Decimal("7.5")),
    ]
    assert Purchase.objects.get(external_id="A-2").amount == Decimal("7.5")
    assert dict(Product.objects.values_list("sku", "name")) == {"TEA": "Green tea", "CUP": "Cup"}
    assert counts(applied(text, now, columns=columns)) == (3, 0, 0, 3, 0)


def test_changed_lines_replace_the_stored_ones(shop: Shop, now: datetime) -> None:
    head = "order,id,mail,name,day,total,currency,cost,channel,sku,product,category,qty,price"
    columns = {**COLUMNS, **LINES}
    applied(f"{head}\nA-1,C1,,Kim,2026-02-03,30,USD,,,TEA,Tea,,3,30\n", now, columns=columns)

    batch = applied(
        f"{head}\nA-1,C1,,,2026-02-03,30,USD,,,TEA,Black tea,,1,10\nA-1,,,,,,,,,CUP,,,2,20\n",
        now,
        columns=columns,
    )

    assert counts(batch) == (2, 0, 2, 0, 0)
    assert list(PurchaseLine.objects.order_by("position").values_list("product__name", "quantity")) == [
        ("Black tea", 1),
        ("CUP", 2),
    ]


def test_an_order_longer_than_a_chunk_is_applied_whole(
    shop: Shop, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applying, "CHUNK_ROWS", 2)
    head = "order,id,mail,name,day,total,currency,cost,channel,sku,product,category,qty,price"
    rows = [f"A-{n % 3},C{n % 3},,Kim,2026-02-03,,USD,,,S{n},,,1,{n}" for n in range(1, 12)]

    batch = applied("\n".join([head, *rows]), now, columns={**COLUMNS, **LINES})

    assert counts(batch) == (11, 11, 0, 0, 0)
    assert dict(Purchase.objects.values_list("external_id", "amount")) == {"A-0": 18, "A-1": 22, "A-2": 26}
    assert PurchaseLine.objects.count() == 11


BAD = {
    "order_missing": (",C1,,Kim,2026-02-03,1,USD,,", "order id: is empty"),
    "no_customer": ("A,,,Kim,2026-02-03,1,USD,,", "customer id: is empty"),
    "no_date": ("A,C1,,Kim,,1,USD,,", "date: is empty"),
    "no_amount": ("A,C1,,Kim,2026-02-03,,USD,,", "amount: is empty"),
    "no_currency": ("A,C1,,Kim,2026-02-03,1,,,", "currency: is empty"),
    "nan": ("A,C1,,Kim,2026-02-03,NaN,USD,,", "amount: “NaN” is not a number in the style chosen"),
    "infinity": (
        "A,C1,,Kim,2026-02-03,Infinity,USD,,",
        "amount: “Infinity” is not a number in the style chosen",
    ),
    "huge": ("A,C1,,Kim,2026-02-03,1e400,USD,,", "amount: “1e400” is not a number in the style chosen"),
    "underscore": ("A,C1,,Kim,2026-02-03,1_000,USD,,", "amount: “1_000” is not a number in the style chosen"),
    "full_width": ("A,C1,,Kim,2026-02-03,１２,USD,,", "amount: “１２” is not a number in the style chosen"),
    "arabic": ("A,C1,,Kim,2026-02-03,١٢,USD,,", "amount: “١٢” is not a number in the style chosen"),
    "grouped": (
        'A,C1,,Kim,2026-02-03,"1,234.50",USD,,',
        "amount: “1,234.50” is not a number in the style chosen",
    ),
    "too_large": (
        "A,C1,,Kim,2026-02-03,1000000000000000,USD,,",
        "amount: “1000000000000000” is not a number in the style chosen",
    ),
    "negative": (
        "A,C1,,Kim,2026-02-03,-5,USD,,",
        "amount: “-5” is negative; money given back is recorded as a refund of its purchase",
    ),
    "cents": ("A,C1,,Kim,2026-02-03,1.005,USD,,", "amount: “1.005 USD” has more decimals than the currency"),
    "won": ("A,C1,,Kim,2026-02-03,0.001,KRW,,", "amount: “0.001 KRW” has more decimals than the currency"),
    "currency": (
        "A,C1,,Kim,2026-02-03,1,XXX,,",
        "currency: “XXX” is not a currency code such as KRW, JPY or USD",
    ),
    "leap": ("A,C1,,Kim,2026-02-29,1,USD,,", "date: “2026-02-29” is not a date in the format chosen"),
    "two_ways": ("A,C1,,Kim,03/04/2026,1,USD,,", "date: “03/04/2026” is not a date in the format chosen"),
    "year_one": ("A,C1,,Kim,0001-01-01,1,USD,,", "date: “0001-01-01” is before 1970"),
    "year_9999": ("A,C1,,Kim,9999-12-31,1,USD,,", "date: “9999-12-31” is in the future"),
    "tomorrow": ("A,C1,,Kim,2026-03-03,1,USD,,", "date: “2026-03-03” is in the future"),
    "two_addresses": (
        'A,C1,"a@b.example, c@d.example",Kim,2026-02-03,1,USD,,',
        "e-mail: “a@b.example, c@d.example” is not an e-mail address",
    ),
    "header_injection": (
        'A,C1,"a@b.example\r\nBcc: c@d.example",Kim,2026-02-03,1,USD,,',
        "e-mail: “a@b.example\r\nBcc: c@d.example” is not an e-mail address",
    ),
    "long_name": (f"A,C1,,{'x' * 161},2026-02-03,1,USD,,", "customer name: is longer than 160 characters"),
    "long_order": (f"{'x' * 101},C1,,Kim,2026-02-03,1,USD,,", "order id: is longer than 100 characters"),
    "right_to_left": ("A,C1,,Kim\u202etxt,2026-02-03,1,USD,,", "holds a control character"),
    "escape": ("A,C1,,Kim\x1b[2J,2026-02-03,1,USD,,", "holds a control character"),
    "ragged": ("A,C1,,Kim,2026-02-03,1,USD,", "has another number of columns than the first row: 8 / 9"),
    "cost": ("A,C1,,Kim,2026-02-03,1,USD,four,", "cost: “four” is not a number in the style chosen"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_row_is_named_with_its_field_and_changes_nothing(name: str, shop: Shop, now: datetime) -> None:
    row, reason = BAD[name]
    before = everything()

    batch = applied(f"{HEADER}\n{row}\n", now)

    assert counts(batch) == (1, 0, 0, 0, 1)
    assert reasons(batch) == {2: reason}
    assert everything() == before


def test_good_rows_are_imported_beside_bad_ones(shop: Shop, now: datetime) -> None:
    batch = applied(f"{HEADER}\nA,C9,,Lee,2026-02-30,1,USD,,\n{GOOD}\n", now)

    assert counts(batch) == (2, 1, 0, 0, 1)
    assert Purchase.objects.get().external_id == "A-1"
    assert Customer.objects.get().external_id == "C1"


def test_a_time_that_the_clocks_skip_is_refused_and_others_are_the_shops_own(
    shop: Shop, now: datetime
) -> None:
    Shop.objects.update(time_zone="America/New_York")
    text = (
        f"{HEADER}\nA-1,C1,,Kim,2025-03-09 02:30,1,USD,,\nA-2,C1,,Kim,2025-03-09 03:30,1,USD,,\n"
        "A-3,C1,,Kim,2025-03-09T02:30:00Z,1,USD,,\n"
    )

    batch = applied(text, now)

    assert reasons(batch) == {
        2: "date: “2025-03-09 02:30” does not exist in the shop's time zone: the clocks go forward there"
    }
    assert list(Purchase.objects.order_by("external_id").values_list("purchased_at", "purchased_on")) == [
        (datetime(2025, 3, 9, 7, 30, tzinfo=UTC), date(2025, 3, 9)),
        (datetime(2025, 3, 9, 2, 30, tzinfo=UTC), date(2025, 3, 8)),
    ]


FILES = {
    "unclosed_quote": (
        'A,C1,,"Kim,2026-02-03,1,USD,,\n',
        "Row 2: a quotation mark is opened and never closed.",
    ),
    "nul": ("A,C1,,K\x00im,2026-02-03,1,USD,,\n", "Row 2: holds a NUL character"),
    "monster": (
        f"A,C1,,{'x' * 10_001},2026-02-03,1,USD,,\n",
        "Row 2: a cell has more than 10,000 characters",
    ),
    "nothing": ("", "The file has no rows below its header."),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_cannot_be_trusted_fails_whole_and_changes_nothing(
    name: str, shop: Shop, now: datetime
) -> None:
    text, message = FILES[name]
    before = everything()

    batch = checked(f"{HEADER}\n{text}", now)

    assert batch.state == ImportState.FAILED
    assert batch.error.startswith(message)
    assert ImportRow.objects.count() == 0
    assert everything() == before


def test_a_column_the_file_lacks_fails_the_import_by_name(shop: Shop, now: datetime) -> None:
    batch = checked("order,id,day,total\nA,C1,2026-02-03,1\n", now)

    assert batch.state == ImportState.FAILED
    assert batch.error == "e-mail: The file has no column “mail”."


def test_a_failed_import_can_be_mapped_again(shop: Shop, now: datetime) -> None:
    batch = checked("order,id,day,total\nA,C1,2026-02-03,1\n", now)
    mapping = Mapping(
        columns={"order_id": "order", "customer_id": "id", "date": "day", "amount": "total"},
        constants={"currency": "USD"},
    )

    imports.choose_mapping(batch=batch, mapping=mapping)
    imports.check(batch=batch, at=now)

    assert batch.state == ImportState.CHECKED
    assert counts(batch) == (1, 1, 0, 0, 0)


@pytest.mark.parametrize(
    ("encoding", "name"),
    [("cp949", "똠방각하"), ("cp932", "山田たろう"), ("euc_jp", "山田たろう")],
)
def test_a_legacy_encoding_is_asked_for_and_never_guessed(
    encoding: str, name: str, shop: Shop, now: datetime
) -> None:
    data = f"{HEADER}\nA-1,C1,,{name},2026-02-03,1,USD,,\n".encode(encoding)

    asked = checked(data, now)
    answered = applied(data, now, encoding=encoding)

    assert asked.state == ImportState.FAILED
    assert asked.error.startswith("Row 2: the text is not UTF-8. Choose its encoding: ")
    assert encoding in asked.error
    assert answered.state == ImportState.APPLIED
    assert Customer.objects.get().name == name


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_unicode_files_are_read_without_asking(encoding: str, shop: Shop, now: datetime) -> None:
    applied(f"{HEADER}\nA-1,C1,,김영수,2026-02-03,1,USD,,\n".encode(encoding), now)

    assert Customer.objects.get().name == "김영수"


def test_the_wrong_encoding_is_refused_rather_than_misread(shop: Shop, now: datetime) -> None:
    batch = checked(f"{HEADER}\nA-1,C1,,김영수,2026-02-03,1,USD,,\n".encode(), now, encoding="cp932")

    assert batch.state == ImportState.FAILED
    assert batch.error == "The file cannot be read as cp932; choose another encoding."


def test_semicolons_and_decimal_commas_are_read_when_chosen(shop: Shop, now: datetime) -> None:
    text = HEADER.replace(",", ";") + "\nA-1;C1;;Kim;31.12.2025;1.234,50;EUR;;\n"

    applied(text, now, date_format="DD.MM.YYYY", number_style="1.234,56")

    purchase = Purchase.objects.get()
    assert (purchase.amount, purchase.purchased_on) == (Decimal("1234.5"), date(2025, 12, 31))


def test_a_purchase_takes_the_latest_rate_on_or_before_its_day(shop: Shop, now: datetime) -> None:
    ExchangeRateFactory(currency="KRW", day=date(2026, 1, 1), rate=Decimal("0.0007"))
    ExchangeRateFactory(currency="KRW", day=date(2026, 2, 1), rate=Decimal("0.0008"))
    text = (
        f"{HEADER}\nA-1,C1,,Kim,2026-01-31,10000,KRW,5000,\nA-2,C1,,Kim,2026-02-01,10000,KRW,,\n"
        "A-3,C1,,Kim,2025-12-31,10000,KRW,,\nA-4,C1,,Kim,2026-02-01,500,JPY,,\n"
    )

    batch = applied(text, now)

    stored = Purchase.objects.order_by("external_id").values_list("rate", "base_amount", "base_cost")
    notes = ImportRow.objects.order_by("line").values_list("line", "reason")
    assert batch.to_create == 4
    assert list(stored) == [
        (Decimal("0.0007"), Decimal(7), Decimal("3.5")),
        (Decimal("0.0008"), Decimal(8), None),
        (None, None, None),
        (None, None, None),
    ]
    assert list(notes) == [(2, ""), (3, ""), (4, "no_rate|currency|KRW"), (5, "no_rate|currency|JPY")]
    assert Purchase.objects.without_rate().count() == 2


def test_300_duplicates_among_1000_rows_are_counted_exactly(shop: Shop, now: datetime) -> None:
    rows = [f"A-{n % 700},C{n % 50},,Kim {n % 50},2026-02-03,5,USD,," for n in range(700)]
    text = "\n".join([HEADER, *rows, *rows[:300]])

    batch = applied(text, now)

    assert counts(batch) == (1000, 700, 0, 0, 300)
    assert imports.errors(batch, limit=1) == [(702, "order id: is already in row 2")]
    assert Purchase.objects.count() == 700


def test_one_order_id_with_two_amounts_is_refused_whole(shop: Shop, now: datetime) -> None:
    batch = applied(f"{HEADER}\n{GOOD}\n{GOOD.replace('12.50', '99')}\n", now)

    assert counts(batch) == (2, 0, 0, 0, 2)
    assert set(reasons(batch).values()) == {"amount: differs from row 2, which has the same order id"}
    assert Purchase.objects.count() == 0


def test_an_order_is_refused_whole_when_one_of_its_rows_is_bad(shop: Shop, now: datetime) -> None:
    head = "order,id,mail,name,day,total,currency,cost,channel,sku,product,category,qty,price"
    text = f"{head}\nA-1,C1,,Kim,2026-02-03,,USD,,,TEA,,,2,10\nA-1,,,,,,,,,CUP,,,0,20\n"

    batch = applied(text, now, columns={**COLUMNS, **LINES})

    assert reasons(batch) == {
        2: "another row of the same order has an error: row 3",
        3: "quantity: “0” is not a quantity above 0 with at most three decimals",
    }
    assert Purchase.objects.count() == 0


def test_an_order_of_another_customer_is_not_moved(shop: Shop, now: datetime) -> None:
    PurchaseFactory(
        source="shop", external_id="A-1", customer=CustomerFactory(external_id="C-other", email="")
    )
    before = everything()

    batch = applied(f"{HEADER}\n{GOOD}\n", now)

    assert reasons(batch) == {2: "order id: “A-1” is recorded for another customer"}
    assert everything() == before


def test_a_known_address_is_recognised_however_it_is_written(shop: Shop, now: datetime) -> None:
    kim = CustomerFactory(external_id=None, email="kim@mail.example", name="김영수")

    batch = applied(f"{HEADER}\nA-1,,  KIM@Mail.Example ,,2026-02-03,1,USD,,\n", now)

    assert batch.new_customers == 0
    assert Purchase.objects.get().customer == kim
    assert Customer.objects.count() == 1


def test_a_customer_known_by_address_gets_the_shops_id(shop: Shop, now: datetime) -> None:
    kim = CustomerFactory(external_id=None, email="kim@mail.example", name="김영수")

    applied(f"{HEADER}\n{GOOD}\n", now)

    kim.refresh_from_db()
    assert kim.external_id == "C1"
    assert Purchase.objects.get().customer == kim


def test_an_address_of_another_customer_is_an_error_and_a_changed_address_is_kept(
    shop: Shop, now: datetime
) -> None:
    CustomerFactory(external_id="C7", email="kim@mail.example")
    lee = CustomerFactory(external_id="C8", email="lee@mail.example", name="Lee")

    batch = applied(f"{HEADER}\n{GOOD}\nA-2,C8,new@mail.example,Lee,2026-02-03,1,USD,,\n", now)

    lee.refresh_from_db()
    assert reasons(batch) == {2: "e-mail: belongs to the customer with the id “C7”"}
    assert lee.email == "lee@mail.example"
    assert Purchase.objects.get().customer == lee
    note = ImportRow.objects.get(batch=batch, line=3).reason
    assert imports.explain(note) == "e-mail: differs from the address on record, which was kept"


def test_an_empty_address_is_filled(shop: Shop, now: datetime) -> None:
    kim = CustomerFactory(external_id="C1", email="", name="김영수")

    batch = applied(f"{HEADER}\n{GOOD}\n", now)

    kim.refresh_from_db()
    assert batch.to_create == 1
    assert (kim.email, kim.email_normalised) == ("kim@mail.example", "kim@mail.example")


def test_two_ids_in_the_file_cannot_share_one_address(shop: Shop, now: datetime) -> None:
    text = f"{HEADER}\n{GOOD}\nA-2,C2,kim@mail.example,Lee,2026-02-03,1,USD,,\n"

    batch = applied(text, now)

    assert reasons(batch) == {3: "e-mail: belongs to the customer with the id “C1”"}
    assert Customer.objects.get().external_id == "C1"


def test_rows_with_only_the_address_belong_to_the_id_that_has_it(shop: Shop, now: datetime) -> None:
    text = f"{HEADER}\nA-0,,kim@mail.example,,2026-01-05,1,USD,,\n{GOOD}\n"

    batch = applied(text, now)

    customer = Customer.objects.get()
    assert batch.new_customers == 1
    assert (customer.external_id, customer.purchases.count()) == ("C1", 2)
    assert customer.acquired_at == datetime(2026, 1, 4, 15, 0, tzinfo=UTC)


def test_the_last_name_in_the_file_counts_and_stays(shop: Shop, now: datetime) -> None:
    text = f"{HEADER}\nA-1,C1,,Kim,2026-02-03,1,USD,,\nA-2,C1,,Kim Young-su,2026-02-04,1,USD,,\n"

    applied(text, now)
    again = checked(text, now)

    assert Customer.objects.get().name == "Kim Young-su"
    assert counts(again) == (2, 0, 0, 2, 0)


def test_what_changed_between_check_and_apply_is_judged_again(shop: Shop, now: datetime) -> None:
    text = f"{HEADER}\n{GOOD}\nA-2,C2,,Lee,2026-02-03,1,USD,,\n"
    batch = checked(text, now)
    CustomerFactory(external_id="C7", email="kim@mail.example")
    imports.confirm(batch=batch)

    imports.apply(batch=batch, clock=lambda: now)

    assert batch.state == ImportState.APPLIED
    assert counts(batch) == (2, 1, 0, 0, 1)
    assert reasons(batch) == {2: "e-mail: belongs to the customer with the id “C7”"}
    assert Purchase.objects.get().external_id == "A-2"


def test_only_a_checked_import_is_confirmed_and_only_once(shop: Shop, now: datetime) -> None:
    batch = upload(f"{HEADER}\n{GOOD}\n", now)

    with pytest.raises(imports.CannotChange):
        imports.confirm(batch=batch)
    imports.check(batch=batch, at=now)
    imports.confirm(batch=batch)
    with pytest.raises(imports.CannotChange):
        imports.confirm(batch=batch)
    with pytest.raises(imports.CannotChange):
        imports.choose_mapping(batch=batch, mapping=Mapping(columns=COLUMNS))

    assert batch.state == ImportState.QUEUED
    assert Purchase.objects.count() == 0


def test_the_bell_checks_waits_for_a_person_and_then_applies(shop: Shop, now: datetime) -> None:
    batch = upload(f"{HEADER}\n{GOOD}\n", now)

    first = imports.run_due(clock=lambda: now)
    idle = imports.run_due(clock=lambda: now)
    batch.refresh_from_db()
    assert (first, idle, batch.state) == (1, 0, ImportState.CHECKED)
    imports.confirm(batch=batch)
    last = imports.run_due(clock=lambda: now)

    batch.refresh_from_db()
    assert (last, batch.state) == (1, ImportState.APPLIED)
    assert Purchase.objects.count() == 1


def test_an_upload_without_a_mapping_waits_for_one(shop: Shop, now: datetime) -> None:
    batch = imports.upload(file_name="x.csv", data=f"{HEADER}\n{GOOD}\n".encode(), source="shop", at=now)

    assert imports.run_due(clock=lambda: now) == 0
    batch.refresh_from_db()
    assert batch.state == ImportState.UPLOADED


def test_staged_rows_lost_in_a_crash_come_from_the_file_again(shop: Shop, now: datetime) -> None:
    batch = checked(f"{HEADER}\n{GOOD}\n", now)
    imports.confirm(batch=batch)
    ImportRow.objects.all().delete()

    imports.apply(batch=batch, clock=lambda: now)

    assert Purchase.objects.get().external_id == "A-1"
    assert counts(batch) == (1, 1, 0, 0, 0)


def test_the_uploads_name_is_data_never_a_path(shop: Shop, now: datetime) -> None:
    mapping = Mapping(columns=COLUMNS)

    batch = imports.upload(
        file_name="../../etc/passwd", data=b"a,b\n1,2\n", source="shop", mapping=mapping, at=now
    )

    assert batch.file_name == "passwd"
    assert (Path(django_settings.MEDIA_ROOT) / batch.file_path).parent.name == "imports"
    assert "passwd" not in batch.file_path


@pytest.mark.parametrize("source", ["", "  ", "x" * 41, "a\nb"])
def test_an_upload_without_a_proper_source_is_refused(source: str, shop: Shop, now: datetime) -> None:
    with pytest.raises(InvalidInput):
        imports.upload(file_name="x.csv", data=b"a,b\n1,2\n", source=source, at=now)

    assert ImportBatch.objects.count() == 0


@pytest.mark.parametrize(
    "constants", [{"currency": "USD", "language": "xx"}, {"currency": "USD", "country": "Korea"}]
)
def test_constants_are_checked_before_anything_is_kept(
    constants: dict[str, str], shop: Shop, now: datetime, tmp_path: Path
) -> None:
    with pytest.raises(InvalidInput):
        upload(f"{HEADER}\n{GOOD}\n", now, constants=constants)

    assert ImportBatch.objects.count() == 0
    assert list(tmp_path.rglob("*.txt")) == []


def test_constants_hold_for_new_customers_and_empty_cells(shop: Shop, now: datetime) -> None:
    text = f"{HEADER}\nA-1,C1,,김영수,2026-02-03,12000,,,\n"

    applied(
        text, now, constants={"currency": "KRW", "language": "ko", "country": "KR", "sales_channel": "app"}
    )

    customer, purchase = Customer.objects.get(), Purchase.objects.get()
    assert (customer.language, customer.country) == ("ko", "KR")
    assert (purchase.currency, purchase.sales_channel) == ("KRW", "app")


def test_the_result_is_the_file_with_two_columns_more_and_no_live_formula(shop: Shop, now: datetime) -> None:
    text = f"{HEADER}\n{GOOD}\nA-2,=HYPERLINK(1),,-2+3,2026-02-03,-5,USD,,＝1+1\n"
    batch = applied(text, now)

    result = "".join(imports.results_csv(batch)).splitlines()

    assert result[0] == "\ufeff" + ",".join(f'"{n}"' for n in [*HEADER.split(","), "verdict", "reason"])
    assert result[1].endswith('"web","create",""')
    assert result[2] == (
        '"A-2","\'=HYPERLINK(1)","","\'-2+3","2026-02-03","-5","USD","","\'＝1+1","error",'
        '"amount: “-5” is negative; money given back is recorded as a refund of its purchase"'
    )


def test_files_and_rows_are_forgotten_a_month_after_the_end(shop: Shop, now: datetime) -> None:
    batch = applied(f"{HEADER}\n{GOOD}\n", now)
    path = Path(django_settings.MEDIA_ROOT) / batch.file_path

    imports.run_due(clock=lambda: now + timedelta(days=29))
    assert path.is_file()
    imports.run_due(clock=lambda: now + timedelta(days=31))

    batch.refresh_from_db()
    assert not path.exists()
    assert ImportRow.objects.count() == 0
    assert (batch.file_path, batch.state) == ("", ImportState.APPLIED)


def test_a_chunk_costs_the_same_number_of_statements_however_full(shop: Shop, now: datetime) -> None:
    def statements(rows: int, start: int) -> int:
        text = "\n".join(
            [HEADER, *(f"B-{n},D{n},,Kim,2026-02-03,5,USD,," for n in range(start, start + rows))]
        )
        batch = checked(text, now)
        imports.confirm(batch=batch)
        with CaptureQueriesContext(
            connection,
        ) as seen:
            imports.apply(batch=batch, clock=lambda: now)
        return len(seen)

    assert statements(rows=1, start=0) == statements(rows=2_000, start=1)


def test_another_session_holding_the_lock_keeps_a_second_worker_out(shop: Shop, now: datetime) -> None:
    batch = checked(f"{HEADER}\n{GOOD}\n", now)
    imports.confirm(batch=batch)
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [f"import:{batch.pk}"])
        assert imports.apply(batch=batch, clock=lambda: now) is False
    finally:
        other.close()

    assert Purchase.objects.count() == 0
    assert imports.apply(batch=batch, clock=lambda: now) is True
    assert Purchase.objects.count() == 1


def test_a_new_purchase_marks_its_customer_for_the_night(shop: Shop, now: datetime) -> None:
    applied(f"{HEADER}\n{GOOD}\n", now)

    assert set(PurchaseChange.objects.values_list("customer_id", flat=True)) == {Customer.objects.get().pk}
