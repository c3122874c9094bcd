"""Bad rows: named by row and field, and nothing is changed by them."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from crm.common.models import Shop
from customers.models import (
    Customer,
    Purchase,
)
from customers.services import imports
from tests.customers.importing import (
    COLUMNS,
    GOOD,
    HEADER,
    LINES,
    applied,
    counts,
    everything,
    reasons,
)
from tests.factories import (
    CustomerFactory,
    PurchaseFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _uploads(settings: object, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path  # type: ignore[attr-defined]


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
    assert reasons(batch) == {
        2: "another row of the same order has an error: row 3",
        3: "amount: differs from row 2, which has the same order id",
    }
    assert Purchase.objects.count() == 0


# What the first row of the order has, what the third has instead, and the field's name.
DIFFERING = {
    "customer_id": ("C1", "C2", "customer id"),
    "email": ("kim@mail.example", "lee@mail.example", "e-mail"),
    "date": ("2026-02-03", "2026-02-04", "date"),
    "amount": ("12.50", "12.51", "amount"),
    "currency": ("USD", "KRW", "currency"),
    "cost": ("4.00", "5", "cost"),
    "sales_channel": ("web", "shop", "sales channel"),
}


@pytest.mark.parametrize("field", DIFFERING)
def test_the_row_that_differs_names_the_one_it_differs_from(field: str, shop: Shop, now: datetime) -> None:
    first, other, label = DIFFERING[field]
    lines = [f"{GOOD},{sku},,,1,5" for sku in ("TEA", "CUP", "POT", "PAN")]
    lines[0] = lines[0].replace(first, "")  # says nothing, so nothing differs from it
    lines[2] = lines[2].replace(first, other)
    text = f"{HEADER},sku,product,category,qty,price\n" + "\n".join(lines)

    batch = applied(text, now, columns={**COLUMNS, **LINES})

    beside = "another row of the same order has an error: row 4"
    differs = f"{label}: differs from row 3, which has the same order id"
    assert reasons(batch) == {2: beside, 3: beside, 4: differs, 5: beside}
    assert Purchase.objects.count() == 0


def test_every_row_that_differs_is_named_and_an_amount_written_otherwise_is_the_same(
    shop: Shop, now: datetime
) -> None:
    amounts = ["12.50", "12.5", "13", "14"]
    lines = [f"{GOOD.replace('12.50', amount)},T-{n},,,1,5" for n, amount in enumerate(amounts)]
    text = f"{HEADER},sku,product,category,qty,price\n" + "\n".join(lines)

    batch = applied(text, now, columns={**COLUMNS, **LINES})

    beside = "another row of the same order has an error: row 4"
    differs = "amount: differs from row 2, which has the same order id"
    assert reasons(batch) == {2: beside, 3: beside, 4: differs, 5: differs}


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


def test_a_calendar_held_in_the_past_does_not_make_yesterday_the_future(shop: Shop, now: datetime) -> None:
    shop.frozen_on = date(2026, 1, 1)
    shop.save()

    batch = applied(f"{HEADER}\n{GOOD}\n", now)

    assert (batch.to_create, batch.errors) == (1, 0)
