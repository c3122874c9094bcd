"""A stay is found by the indices that begin with its segment or its customer; two of their own only cost writes.

Only the indices go. An AlterField alone would make both foreign keys anew, which reads every stay.
"""

import django.db.models.deletion
from django.db import migrations, models

DROP = """
DROP INDEX IF EXISTS customers_segmentmembership_segment_id_160add9d;
DROP INDEX IF EXISTS customers_segmentmembership_customer_id_1f946fc7;
"""
MAKE = """
CREATE INDEX customers_segmentmembership_segment_id_160add9d ON customers_segmentmembership (segment_id);
CREATE INDEX customers_segmentmembership_customer_id_1f946fc7 ON customers_segmentmembership (customer_id);
"""


def _without_index(name: str) -> migrations.AlterField:
    return migrations.AlterField(
        model_name="segmentmembership",
        name=name,
        field=models.ForeignKey(
            db_index=False,
            on_delete=django.db.models.deletion.CASCADE,
            related_name="memberships",
            to=f"customers.{name}",
        ),
    )


class Migration(migrations.Migration):
    dependencies = [("customers", "0002_triggers")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(DROP, MAKE)],
            state_operations=[_without_index("customer"), _without_index("segment")],
        )
    ]
