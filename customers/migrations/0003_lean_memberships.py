"""A stay is found by the indices that begin with its segment or its customer; two of their own only cost writes."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0002_triggers"),
    ]

    operations = [
        migrations.AlterField(
            model_name="segmentmembership",
            name="customer",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="memberships",
                to="customers.customer",
            ),
        ),
        migrations.AlterField(
            model_name="segmentmembership",
            name="segment",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="memberships",
                to="customers.segment",
            ),
        ),
    ]
