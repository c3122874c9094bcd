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
from tests.customers.importing import (
    COLUMNS,
    GOOD,
    HEADER,
    LINES,
    applied,
    checked,
    counts,
    everything,
    reasons,
    upload,
)
from tests.factories import (
    CustomerFactory,
    ExchangeRateFactory,
    RefundFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _uploads(settings: object, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path  # type: ignore[attr-defined]


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
            cursor.execute("SELECT pg_advisory_unlock_all()")
    finally:
        other.close()

    assert Purchase.objects.count() == 0
    assert imports.apply(batch=batch, clock=lambda: now) is True
    assert Purchase.objects.count() == 1


def test_a_new_purchase_marks_its_customer_for_the_night(shop: Shop, now: datetime) -> None:
    applied(f"{HEADER}\n{GOOD}\n", now)

    assert set(PurchaseChange.objects.values_list("customer_id", flat=True)) == {Customer.objects.get().pk}
