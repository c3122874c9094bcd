"""All money that a night reads and writes of everybody, in whole thousandths."""

from django.db import migrations

import crm.common.fields

FIGURES = (
    "revenue", "margin", "average_purchase", "formula_ltv", "margin_clv", "channel_cac", "expected_value",
    "expected_value_low", "expected_value_high", "clv", "clv_before",
)  # fmt: skip
SUMMARY = ("first_revenue", "revenue", "margin")
CHANGED = tuple(f"{state}_{name}" for state in ("before", "kept") for name in SUMMARY)
REASONS = " + ".join(f"change_{reason}" for reason in ("time", "purchases", "refunds", "rates", "refit"))
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
        EXECUTE format('ALTER TABLE %I {figures}', kept);
        EXECUTE format('ALTER TABLE %I ADD CONSTRAINT ltv_changes_add_up CHECK ({check})', kept);
    END LOOP;
END $$;
CREATE VIEW ltv_current AS
    SELECT * FROM ltv_customerltv WHERE run_id = (SELECT run_id FROM ltv_currentrun);
ALTER TABLE ltv_purchasesummary {summary};
ALTER TABLE ltv_summarychange {changed};
"""


def altered(kind: str, using: str, check: str) -> str:
    def columns(names: tuple[str, ...]) -> str:
        return ", ".join(f"ALTER COLUMN {name} TYPE {kind} USING {using.format(name)}" for name in names)

    return TABLES.format(
        figures=columns(FIGURES), summary=columns(SUMMARY), changed=columns(CHANGED), check=check
    )


class Migration(migrations.Migration):
    dependencies = [("ltv", "0011_changes_in_thousandths")]
    operations = [
        migrations.RunSQL(
            altered("bigint", "({} * 1000)::bigint", f"clv - coalesce(clv_before, 0) = {REASONS}"),
            altered(
                "numeric(18, 3)", "{}::numeric / 1000", f"(clv - coalesce(clv_before, 0)) * 1000 = {REASONS}"
            ),
            state_operations=[
                migrations.AlterField("purchasesummary", name, crm.common.fields.ThousandthsField())
                for name in SUMMARY
            ],
        ),
    ]
