"""The public CDNOW log, whole: 69,659 purchases of 23,570 customers, and its published tenth."""

from datetime import UTC, date, datetime
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Max, Min, Sum

from crm.common.models import Shop
from customers.choices import ImportState
from customers.models import Consent, Customer, ImportBatch, Purchase, PurchaseChange
from customers.services import imports

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _uploads(settings: object, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path  # type: ignore[attr-defined]


def dataset(name: str) -> Path:
    spec = find_spec("lifetimes")
    assert spec and spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / "datasets" / name


def imported(name: str, now: datetime) -> ImportBatch:
    batch = imports.upload(file_name=name, data=dataset(name), source="cdnow", preset="cdnow", at=now)
    imports.check(batch=batch, at=now)
    imports.confirm(batch=batch)
    imports.apply(batch=batch, clock=lambda: now)
    return batch


def test_the_whole_log_comes_in_once_and_what_is_there_stays_as_it_is(shop: Shop, now: datetime) -> None:
    sample = imported("CDNOW_sample.txt", now)
    changes = PurchaseChange.objects.aggregate(last=Max("id"))
    again = imported("CDNOW_sample.txt", now)

    assert (sample.rows, sample.to_create, sample.errors) == (6_919, 6_919, 0)
    assert (again.rows, again.same, again.to_create, again.new_customers) == (6_919, 6_919, 0, 0)
    assert PurchaseChange.objects.aggregate(last=Max("id")) == changes

    whole = imported("CDNOW_master.txt", now)  # the sample is a tenth of its customers, same orders

    assert sample.state == again.state == whole.state == ImportState.APPLIED
    assert (whole.rows, whole.same, whole.errors) == (69_659, 6_919, 0)
    assert (whole.to_create, whole.new_customers) == (69_659 - 6_919, 23_570 - 2_357)
    assert Purchase.objects.count() == 69_659
    assert Customer.objects.count() == 23_570
    assert Consent.objects.count() == 0
    assert Purchase.objects.aggregate(
        total=Sum("base_amount"), first=Min("purchased_on"), last=Max("purchased_on")
    ) == {"total": Decimal("2500315.63"), "first": date(1997, 1, 1), "last": date(1998, 6, 30)}


def test_purchases_of_one_day_stay_as_many_as_they_were(shop: Shop, now: datetime) -> None:
    imported("CDNOW_sample.txt", now)

    customer = Customer.objects.get(external_id="cdnow-05192")
    assert Customer.objects.count() == 2_357
    assert Purchase.objects.count() == 6_919
    assert customer.name == "CDNOW customer 05192"
    assert (customer.email, customer.email_normalised) == ("", None)
    assert customer.acquired_at == customer.purchases.aggregate(first=Min("purchased_at"))["first"]
    same_day = customer.purchases.filter(purchased_on=date(1997, 2, 5)).order_by("external_id")
    assert list(same_day.values_list("external_id", flat=True)) == [
        "cdnow-05192-19970205-1",
        "cdnow-05192-19970205-2",
        "cdnow-05192-19970205-3",
    ]


def test_the_command_imports_the_sample_and_says_what_it_did(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("import_purchases", str(dataset("CDNOW_sample.txt")), preset="cdnow")

    printed = capsys.readouterr().out
    assert "6,919 rows checked" in printed
    assert "6,919 to create, 0 to update, 0 same, 0 in error; 2,357 new customers" in printed
    assert "6,919 rows created, 0 updated, 0 left as they were, 0 in error" in printed
    assert Purchase.objects.filter(source="cdnow").count() == 6_919


def test_the_command_can_check_only_and_names_bad_rows(
    shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "orders.csv"
    file.write_text(
        "주문번호,고객번호,주문일,금액\nA-1,C1,2026-01-05,5000\nA-2,C2,2026-01-06,five\n", encoding="cp949"
    )

    call_command(
        "import_purchases",
        str(file),
        "--guess",
        "--encoding",
        "cp949",
        "--constant",
        "currency=KRW",
        "--check-only",
    )

    printed = capsys.readouterr().out
    assert "2 rows checked" in printed
    assert "row 3: amount: “five” is not a number in the style chosen" in printed
    assert Purchase.objects.count() == 0
    batch = ImportBatch.objects.get()
    assert batch.state == ImportState.CHECKED
    assert batch.uploaded_at > datetime(2026, 1, 1, tzinfo=UTC)


def test_a_file_with_usual_names_needs_no_mapping(shop, tmp_path):
    orders = tmp_path / "orders.csv"
    orders.write_text("Order ID,Customer ID,Date,Total,Currency\nA-1,C1,2026-02-03,12.50,USD\n")

    call_command("import_purchases", str(orders))

    assert list(Purchase.objects.values_list("external_id", "amount")) == [("A-1", Decimal("12.5"))]


MISSING = {
    "found": (
        "Customer ID,Date,Total\n",
        [],
        "no column found by its name for: currency, order_id\n"
        "  currency: --map currency=COLUMN, or --constant currency=USD when every row is in it\n"
        "  order_id: --map order_id=COLUMN, or --make-order-ids for a file of whole orders without ids\n"
        "COLUMN is a header of the file, or #3 for its third column.\n"
        "With --map also give --guess, so that the other columns are still found by their names.\n",
    ),
    "given": (
        "Customer ID,Date,Total\n",
        ["--map", "date=Date", "--map", "customer_id=Customer ID", "--constant", "currency=USD"],
        "no column given for: amount, order_id\n"
        "  amount: --map amount=COLUMN\n"
        "  order_id: --map order_id=COLUMN, or --make-order-ids for a file of whole orders without ids\n"
        "COLUMN is a header of the file, or #3 for its third column.\n"
        "--guess finds columns by their usual names.",
    ),
    "lines": (
        "Customer ID,Date,Total,Currency,SKU\n",
        ["--make-order-ids"],
        "no column found by its name for: order_id\n"
        "  order_id: --map order_id=COLUMN, without --make-order-ids: rows with product codes are parts of an order\n",
    ),
    "no such field": (
        "Customer ID,Date,Total\n",
        ["--guess", "--map", "curency=Date"],
        "there is no field 'curency'; there are: order_id, customer_id, email,",
    ),
    "no such constant": (
        "Customer ID,Date,Total\n",
        ["--constant", "date=2026-02-03"],
        "there is no field 'date'; there are: currency, sales_channel, language, country",
    ),
    "encoding": (
        "주문번호,고객번호,주문일,금액\nA-1,C1,2026-01-05,5000\n".encode("cp949").decode("latin-1"),
        [],
        "the text is not UTF-8. Choose its encoding: cp949",
    ),
}


@pytest.mark.parametrize("name", MISSING)
def test_the_command_names_everything_it_lacks_and_the_options_for_it(
    name: str, shop: Shop, tmp_path: Path
) -> None:
    text, options, words = MISSING[name]
    file = tmp_path / "orders.csv"
    file.write_text(text, encoding="latin-1")

    with pytest.raises(CommandError) as refused:
        call_command("import_purchases", str(file), *options)

    assert words in str(refused.value)


def test_the_options_it_names_are_enough(shop: Shop, tmp_path: Path) -> None:
    orders = tmp_path / "orders.csv"
    orders.write_text("Customer ID,When,Total\nC1,2026-02-03,12.50\n")

    call_command(
        "import_purchases", str(orders), "--guess", "--map", "date=When", "--constant", "currency=USD",
        "--make-order-ids",
    )  # fmt: skip

    assert Purchase.objects.get().amount == Decimal("12.5")
