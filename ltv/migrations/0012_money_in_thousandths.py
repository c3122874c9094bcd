"""All money that a night reads and writes of everybody, in whole thousandths."""

from django.db import migrations

import crm.common.fields
from ltv.migrations._kept_nights import TO_AMOUNTS, TO_THOUSANDTHS, altered, nights

FIGURES = (
    "revenue", "margin", "average_purchase", "formula_ltv", "margin_clv", "channel_cac", "expected_value",
    "expected_value_low", "expected_value_high", "clv", "clv_before",
)  # fmt: skip
SUMMARY = ("first_revenue", "revenue", "margin")
CHANGED = tuple(f"{state}_{name}" for state in ("before", "kept") for name in SUMMARY)


def everywhere(kind: str, using: str, whole: str) -> str:
    return f"""{nights(FIGURES, kind, using, whole)}
ALTER TABLE ltv_purchasesummary {altered(SUMMARY, kind, using)};
ALTER TABLE ltv_summarychange {altered(CHANGED, kind, using)};
"""


class Migration(migrations.Migration):
    dependencies = [("ltv", "0011_changes_in_thousandths")]
    operations = [
        migrations.RunSQL(
            everywhere(*TO_THOUSANDTHS, whole="clv - coalesce(clv_before, 0)"),
            everywhere(*TO_AMOUNTS, whole="(clv - coalesce(clv_before, 0)) * 1000"),
            state_operations=[
                migrations.AlterField("purchasesummary", name, crm.common.fields.ThousandthsField())
                for name in SUMMARY
            ],
        ),
    ]
