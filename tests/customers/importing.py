"""What the tests of imports share: a file of orders, uploaded, checked, applied."""

from datetime import datetime

from customers.choices import ImportState
from customers.core.mapping import Mapping
from customers.models import (
    Consent,
    Customer,
    ImportBatch,
    Product,
    Purchase,
    PurchaseChange,
    PurchaseLine,
)
from customers.services import imports

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
