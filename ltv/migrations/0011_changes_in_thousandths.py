"""Why a value changed, in whole thousandths: a night writes five such amounts of everybody."""

from django.db import migrations

import crm.common.fields

REASONS = ("time", "purchases", "refunds", "rates", "refit")
# the nights that are kept apart from the partitioned table change with it
TABLES = """
SET LOCAL statement_timeout = 0; -- seconds a night of a million
DROP VIEW ltv_current;
DO $$
DECLARE kept text;
BEGIN
    FOR kept IN
        SELECT c.relname FROM pg_class AS c
        WHERE c.relname ~ '^ltv_customerltv(_r[0-9]+(_p[0-9]+)?)?$' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
            AND c.relnamespace = 'public'::regnamespace
    LOOP
        EXECUTE format('ALTER TABLE %I DROP CONSTRAINT IF EXISTS ltv_changes_add_up', kept);
        EXECUTE format('ALTER TABLE %I {columns}', kept);
        EXECUTE format('ALTER TABLE %I ADD CONSTRAINT ltv_changes_add_up CHECK ({check})', kept);
    END LOOP;
END $$;
CREATE VIEW ltv_current AS
    SELECT * FROM ltv_customerltv WHERE run_id = (SELECT run_id FROM ltv_currentrun);
"""
SUM = " + ".join(f"change_{reason}" for reason in REASONS)


def altered(kind: str, using: str, check: str) -> str:
    columns = (f"ALTER COLUMN change_{r} TYPE {kind} USING {using.format(r)}" for r in REASONS)
    return TABLES.format(columns=", ".join(columns), check=check)


class Migration(migrations.Migration):
    dependencies = [("ltv", "0010_reproduction")]
    operations = [
        migrations.RunSQL(
            altered(
                "bigint", "(change_{} * 1000)::bigint", f"(clv - coalesce(clv_before, 0)) * 1000 = {SUM}"
            ),
            altered(
                "numeric(18, 3)", "change_{}::numeric / 1000", f"clv = coalesce(clv_before, 0) + {SUM}"
            ),
        ),
        *(
            migrations.AlterField("customeroutlook", f"change_{reason}", crm.common.fields.ThousandthsField(null=True))
            for reason in REASONS
        ),
    ]
