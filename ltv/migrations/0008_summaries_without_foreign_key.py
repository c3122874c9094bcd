"""Summaries are worked out, a million of them in a first night: no foreign key looks each of them up again.

Who has purchases cannot be deleted; a trigger, once a statement, deletes the summaries of whoever is.
"""

import django.db.models.deletion
from django.db import migrations, models

DELETING = """
CREATE FUNCTION ltv_deleted_has_no_summary() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM ltv_purchasesummary WHERE customer_id IN (SELECT id FROM gone);
    RETURN NULL;
END $$;
CREATE TRIGGER deleted_has_no_summary AFTER DELETE ON customers_customer
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION ltv_deleted_has_no_summary();
"""


class Migration(migrations.Migration):
    dependencies = [("ltv", "0007_report_card")]
    operations = [
        migrations.AlterField(
            "purchasesummary",
            "customer",
            models.OneToOneField(
                db_constraint=False,
                on_delete=django.db.models.deletion.CASCADE,
                primary_key=True,
                related_name="summary",
                serialize=False,
                to="customers.customer",
            ),
        ),
        migrations.RunSQL(DELETING, "DROP FUNCTION ltv_deleted_has_no_summary CASCADE;"),
    ]
