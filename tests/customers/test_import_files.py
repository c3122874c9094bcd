"""Files that cannot be trusted, encodings, separators: asked for or refused, never guessed."""

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from crm.common.models import Shop
from customers.choices import ImportState
from customers.core.mapping import Mapping
from customers.models import (
    Customer,
    ImportRow,
    Purchase,
)
from customers.services import imports
from tests.customers.importing import (
    HEADER,
    applied,
    checked,
    counts,
    everything,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _uploads(settings: object, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path  # type: ignore[attr-defined]


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
