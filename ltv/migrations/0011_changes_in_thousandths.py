"""Why a value changed, in whole thousandths: a night writes five such amounts of everybody."""

from django.db import migrations

import crm.common.fields
from ltv.migrations._kept_nights import REASONS, TO_AMOUNTS, TO_THOUSANDTHS, nights


class Migration(migrations.Migration):
    dependencies = [("ltv", "0010_reproduction")]
    operations = [
        migrations.RunSQL(
            nights(REASONS, *TO_THOUSANDTHS, whole="(clv - coalesce(clv_before, 0)) * 1000"),
            nights(REASONS, *TO_AMOUNTS, whole="clv - coalesce(clv_before, 0)"),
        ),
        *(
            migrations.AlterField("customeroutlook", reason, crm.common.fields.ThousandthsField(null=True))
            for reason in REASONS
        ),
    ]
