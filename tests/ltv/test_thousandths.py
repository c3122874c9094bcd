"""The reasons of a change are kept as whole thousandths, and seen as amounts; so are those of nights kept before."""

from datetime import timedelta
from decimal import Decimal
from importlib import import_module

import pytest
from django.db import connection, transaction
from django.db.models import Sum

from crm.common.fields import ThousandthsField
from ltv import reports
from ltv.models import CustomerOutlook
from ltv.services import night
from ltv.services.changes import REASONS
from tests.ltv.test_changes import regular
from tests.ltv.test_night import a_base_of

REASON_COLUMNS = [f"change_{reason}" for reason in REASONS]


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


def reasons(customer: int) -> list[dict[str, Decimal]]:
    """Of the customer in each night that is kept."""
    cards = [reports.value_card(customer, as_of=run.as_of) for run in reports.kept_runs()]
    return [{name: getattr(card.outlook, name) for name in REASON_COLUMNS} for card in cards]


@pytest.mark.django_db(transaction=True)
def test_the_migration_there_and_back_leaves_every_kept_night_as_it_was(now, shop):
    customer = regular()
    a_base_of(30)
    for day in range(4):  # the older ones are tables of their own
        night.run_due(clock=lambda day=day: now + timedelta(days=day))
    tables = import_module("ltv.migrations.0011_changes_in_thousandths").Migration.operations[0]
    before = reasons(customer.pk)
    assert before[0]["change_time"] < 0

    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(tables.reverse_sql)
            cursor.execute("SELECT change_time FROM ltv_current WHERE customer_id = %s", [customer.pk])
            amount = cursor.fetchone()[0]
            cursor.execute(tables.sql)
        again = reasons(customer.pk)
        transaction.set_rollback(True)

    assert (amount, again) == (before[0]["change_time"], before)


@pytest.mark.django_db(transaction=True)
def test_the_orm_filters_and_adds_up_amounts(now, shop):
    customer = regular()
    a_base_of(30)
    for day in range(2):
        night.run_due(clock=lambda day=day: now + timedelta(days=day))
    changes = list(CustomerOutlook.objects.values_list("change_time", flat=True))
    time = CustomerOutlook.objects.get(customer=customer).change_time

    assert time < 0
    assert CustomerOutlook.objects.filter(change_time=time).count() == changes.count(time)
    assert CustomerOutlook.objects.aggregate(Sum("change_time")) == {"change_time__sum": sum(changes)}
