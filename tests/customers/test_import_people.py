"""Who a row belongs to: ids and addresses, in the file and in the database."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from crm.common.models import Shop
from customers.models import (
    Customer,
    ImportRow,
    Purchase,
)
from customers.services import imports
from tests.customers.importing import (
    GOOD,
    HEADER,
    applied,
    checked,
    counts,
    reasons,
)
from tests.factories import (
    CustomerFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _uploads(settings: object, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path  # type: ignore[attr-defined]


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
