"""The money of a night is kept as whole thousandths, and seen as amounts; so is that of nights kept before."""

from datetime import timedelta
from decimal import Decimal
from importlib import import_module

import pytest
from django.db import connection, transaction
from django.db.models import Model, Sum

from crm.common.fields import ThousandthsField
from ltv import reports
from ltv.models import CustomerLtv, CustomerOutlook, PurchaseSummary
from ltv.services import night
from tests.ltv.test_changes import regular
from tests.ltv.test_night import a_base_of


@pytest.mark.parametrize(
    ("amount", "thousandths"),
    [
        ("0", 0),
        ("-12.345", -12_345),
        ("0.001", 1),
        ("999999999999999.999", 999_999_999_999_999_999),
        ("1.0006", 1_001),
    ],
)
def test_an_amount_goes_in_as_thousandths_and_comes_out_with_three_decimals(amount, thousandths):
    field = ThousandthsField(null=True)

    assert field.get_db_prep_value(amount, connection) == thousandths
    assert field.from_db_value(thousandths) == round(Decimal(amount), 3)
    assert (field.get_db_prep_value(None, connection), field.from_db_value(None)) == (None, None)


def told(customer: int) -> list[tuple[dict, dict]]:
    """All that each kept night says of the customer, and the summary it was made from."""
    cards = [reports.value_card(customer, as_of=run.as_of) for run in reports.kept_runs()]
    return [(seen(card.figures), seen(card.outlook)) for card in cards] + [
        (seen(PurchaseSummary.objects.get(customer=customer)), {})
    ]


def seen(row: Model) -> dict[str, object]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


@pytest.mark.django_db(transaction=True)
def test_the_migrations_there_and_back_leave_every_kept_night_as_it_was(now, shop):
    customer = regular()
    a_base_of(30)
    for day in range(4):  # the older ones are tables of their own
        night.run_due(clock=lambda day=day: now + timedelta(days=day))
    changes, money, key = (
        import_module(f"ltv.migrations.{name}").Migration.operations[0]
        for name in ("0011_changes_in_thousandths", "0012_money_in_thousandths", "0013_nights_by_customer")
    )
    before = told(customer.pk)
    figures, outlook = before[0]
    assert len(before) == 5
    assert outlook["change_time"] < 0

    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(key.reverse_sql)
            cursor.execute(money.reverse_sql)
            cursor.execute(changes.reverse_sql)
            cursor.execute(
                "SELECT clv, revenue, change_time FROM ltv_current WHERE customer_id = %s", [customer.pk]
            )
            amounts = cursor.fetchone()
            cursor.execute(changes.sql)
            cursor.execute(money.sql)
            cursor.execute(key.sql)
        again = told(customer.pk)
        transaction.set_rollback(True)

    assert amounts == (figures["clv"], figures["revenue"], outlook["change_time"])
    assert again == before


@pytest.mark.django_db(transaction=True)
def test_the_orm_filters_and_adds_up_amounts(now, shop):
    customer = regular()
    a_base_of(30)
    for day in range(2):
        night.run_due(clock=lambda day=day: now + timedelta(days=day))
    changes = list(CustomerOutlook.objects.values_list("change_time", flat=True))
    time = CustomerOutlook.objects.get(customer=customer).change_time

    best = CustomerLtv.objects.order_by("-clv")[:3]

    assert time < 0
    assert [CustomerLtv.objects.filter(clv__gte=one.clv).count() for one in best] == [1, 2, 3]
    assert CustomerOutlook.objects.filter(change_time=time).count() == changes.count(time)
    assert CustomerOutlook.objects.aggregate(Sum("change_time")) == {"change_time__sum": sum(changes)}
