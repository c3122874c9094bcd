"""Stays are worked out, two million of them in a first night: no foreign key looks each of them up again.

Who deletes a customer or a segment deletes the stays: triggers, once a statement. A stay that slipped in beside is
closed by the next evaluation, which finds nobody behind it.
"""

import django.db.models.deletion
from django.db import migrations, models

DELETING = """
CREATE FUNCTION customers_deleted_has_no_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM customers_segmentmembership WHERE customer_id IN (SELECT id FROM gone);
    RETURN NULL;
END $$;
CREATE FUNCTION customers_deleted_segment_has_no_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM customers_segmentmembership WHERE segment_id IN (SELECT id FROM gone);
    RETURN NULL;
END $$;
CREATE TRIGGER deleted_has_no_stays AFTER DELETE ON customers_customer
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION customers_deleted_has_no_stays();
CREATE TRIGGER deleted_segment_has_no_stays AFTER DELETE ON customers_segment
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION customers_deleted_segment_has_no_stays();
"""
UNDO = "DROP FUNCTION customers_deleted_has_no_stays, customers_deleted_segment_has_no_stays CASCADE;"


def _without_constraint(name: str) -> migrations.AlterField:
    return migrations.AlterField(
        model_name="segmentmembership",
        name=name,
        field=models.ForeignKey(
            db_constraint=False,
            db_index=False,
            on_delete=django.db.models.deletion.CASCADE,
            related_name="memberships",
            to=f"customers.{name}",
        ),
    )


class Migration(migrations.Migration):
    dependencies = [("customers", "0006_merge_and_erase")]
    operations = [
        _without_constraint("customer"),
        _without_constraint("segment"),
        migrations.RunSQL(DELETING, UNDO),
    ]
