"""Run by test_given_servers on the machine's own servers; not collected by itself."""

from datetime import timedelta

import pytest
from django.utils import timezone

from crm.common.redis import client
from customers.choices import ImportState
from customers.core.mapping import Mapping
from customers.models import Customer, Purchase
from customers.services import imports
from ltv.models import CustomerLtv
from ltv.services import night

CSV = "order,email,name,date,amount,currency\n" + "".join(
    f"A-{n},buyer{n % 7}@mail.example,김민수 {n % 7},2026-01-{1 + n % 28:02d},{10 + n}.50,USD\n"
    for n in range(60)
)


@pytest.mark.django_db
def test_import_night_and_search_on_this_server(shop):
    now = timezone.now()
    columns = {"order_id": "order", "email": "email", "name": "name", "date": "date"}
    mapping = Mapping(columns=columns | {"amount": "amount", "currency": "currency"})
    batch = imports.upload(file_name="a.csv", data=CSV.encode(), source="shop", mapping=mapping, at=now)
    imports.check(batch=batch, at=now)
    imports.confirm(batch=batch)
    imports.apply(batch=batch, clock=lambda: now)
    night.run_due(clock=lambda: now + timedelta(minutes=1))

    batch.refresh_from_db()
    assert batch.state == ImportState.APPLIED
    assert (Customer.objects.count(), Purchase.objects.count()) == (7, 60)
    assert CustomerLtv.objects.filter(orders__gt=0).count() == 7
    assert Customer.objects.search("민수").count() == 7


def test_the_bell_rings_on_this_server():
    client().set("given", "1", ex=5)

    assert client().get("given") == b"1"
