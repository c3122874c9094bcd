"""The checks of a purchase's cost hold for the rows from before too: read through once, while others read and write."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("customers", "0009_purchase_cost")]
    operations = [
        ValidateConstraint(model_name="purchase", name="purchase_own_cost_not_negative"),
        ValidateConstraint(model_name="purchase", name="purchase_rate_gives_base_cost"),
    ]
