"""The simulated logs of ``tests.ltv.core.shops``, sold in the database: what a night and a check then read."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from customers.models import Customer, Purchase
from ltv.services import summaries
from tests.factories import CustomerFactory, publish
from tests.ltv.core import shops

MONDAY = date(2026, 3, 2)


def day_of(number: int) -> date:
    """A log's last day is the Sunday before ``MONDAY``."""
    return MONDAY - timedelta(days=shops.END + 1 - number)


def sell(rows: shops.Rows) -> list[Customer]:
    """Record the log as purchases of new customers, with their summaries, in a shop that was valued once."""
    owners = CustomerFactory.build_batch(int(rows.customers.max()) + 1, email="")
    Customer.objects.bulk_create(owners)
    Purchase.objects.bulk_create(
        Purchase(
            customer=owners[customer],
            source="shop",
            external_id=f"{place}-{owners[customer].pk}",
            purchased_at=datetime.combine(day_of(day), time(3), UTC),
            purchased_on=day_of(day),
            amount=(paid := Decimal(f"{amount:.2f}")),
            currency="USD",
            rate=1,
            base_amount=paid,
        )
        for place, (customer, day, amount) in enumerate(
            zip(rows.customers.tolist(), rows.days.tolist(), rows.amounts.tolist(), strict=True)
        )
    )
    summaries.refresh(as_of=MONDAY, margin_rate=Decimal("0.3"))
    publish()
    return owners
