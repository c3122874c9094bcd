"""A night's rows by customer first, the expected margin beside the key: sorted sooner, and read without the rows."""

from django.db import migrations

from ltv.migrations._kept_nights import keyed


class Migration(migrations.Migration):
    dependencies = [("ltv", "0012_money_in_thousandths")]
    operations = [
        migrations.RunSQL(keyed("(customer_id, run_id) INCLUDE (clv)"), keyed("(run_id, customer_id)")),
    ]
