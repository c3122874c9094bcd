"""The decile of each customer's expected margin, and each run's figures for the start page."""

from django.db import migrations, models

ADD = """
DROP VIEW ltv_current;
ALTER TABLE ltv_customerltv ADD COLUMN clv_decile smallint CHECK (clv_decile BETWEEN 1 AND 10);
CREATE VIEW ltv_current AS
    SELECT * FROM ltv_customerltv WHERE run_id = (SELECT run_id FROM ltv_currentrun);
"""
REMOVE = """
DROP VIEW ltv_current;
ALTER TABLE ltv_customerltv DROP COLUMN clv_decile;
CREATE VIEW ltv_current AS
    SELECT * FROM ltv_customerltv WHERE run_id = (SELECT run_id FROM ltv_currentrun);
"""


class Migration(migrations.Migration):
    dependencies = [("ltv", "0002_partitions")]
    operations = [
        migrations.RunSQL(ADD, REMOVE),
        migrations.AddField(
            "ltvrun", "figures", models.JSONField(blank=True, default=dict, verbose_name="figures")
        ),
    ]
