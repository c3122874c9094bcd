"""A purchase's cost in its own currency, so that one recorded before its exchange rate does not lose it.

Purchases recorded earlier keep their cost in base currency alone: to fill ten million of them would rewrite the table
and mark every customer as changed. Nothing here reads or rewrites rows; the next migration checks them.
"""

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("customers", "0008_purchase_change_customer")]
    operations = [
        migrations.AddField(
            model_name="purchase",
            name="cost",
            field=models.DecimalField(
                blank=True, decimal_places=3, max_digits=18, null=True, verbose_name="cost"
            ),
        ),
        AddConstraintNotValid(
            model_name="purchase",
            constraint=models.CheckConstraint(
                name="purchase_own_cost_not_negative", condition=Q(cost__isnull=True) | Q(cost__gte=0)
            ),
        ),
        AddConstraintNotValid(
            model_name="purchase",
            constraint=models.CheckConstraint(
                name="purchase_rate_gives_base_cost",
                condition=Q(cost__isnull=True) | Q(rate__isnull=True) | Q(base_cost__isnull=False),
            ),
        ),
    ]
