"""More figures of each customer, why they changed, and revenue by day; predictions go straight into the run's table."""

from django.db import migrations, models

ADD = """
DROP VIEW ltv_current;
ALTER TABLE ltv_customerltv
    ADD COLUMN purchases_low real, ADD COLUMN purchases_high real,
    ADD COLUMN purchases_30 real, ADD COLUMN purchases_30_low real, ADD COLUMN purchases_30_high real,
    ADD COLUMN value_30 real, ADD COLUMN value_30_low real, ADD COLUMN value_30_high real,
    ADD COLUMN purchases_90 real, ADD COLUMN purchases_90_low real, ADD COLUMN purchases_90_high real,
    ADD COLUMN value_90 real, ADD COLUMN value_90_low real, ADD COLUMN value_90_high real,
    ADD COLUMN purchases_1095 real, ADD COLUMN purchases_1095_low real, ADD COLUMN purchases_1095_high real,
    ADD COLUMN value_1095 real, ADD COLUMN value_1095_low real, ADD COLUMN value_1095_high real,
    ADD COLUMN next_purchase_from date, ADD COLUMN next_purchase_to date,
    ADD COLUMN r_score smallint CHECK (r_score BETWEEN 1 AND 5),
    ADD COLUMN f_score smallint CHECK (f_score BETWEEN 1 AND 5),
    ADD COLUMN m_score smallint CHECK (m_score BETWEEN 1 AND 5),
    ADD COLUMN clv_before numeric(18, 3),
    ADD COLUMN change_time numeric(18, 3), ADD COLUMN change_purchases numeric(18, 3),
    ADD COLUMN change_refunds numeric(18, 3), ADD COLUMN change_rates numeric(18, 3),
    ADD COLUMN change_refit numeric(18, 3),
    ADD CONSTRAINT ltv_changes_add_up
        CHECK (clv = coalesce(clv_before, 0) + change_time + change_purchases + change_refunds + change_rates
            + change_refit);
CREATE VIEW ltv_current AS
    SELECT * FROM ltv_customerltv WHERE run_id = (SELECT run_id FROM ltv_currentrun);
DROP TABLE ltv_prediction;

-- of each customer whose purchases changed since the last published run: the summary that run had, and today's with
-- the refunds recorded since then undone, where there are any
CREATE TABLE ltv_summarychange (
    customer_id bigint PRIMARY KEY,
    before_first_day date, before_last_day date, before_days integer, before_orders integer,
    before_first_revenue numeric(18, 3), before_revenue numeric(18, 3), before_margin numeric(18, 3),
    refunds boolean NOT NULL DEFAULT false,
    kept_first_day date, kept_last_day date, kept_days integer, kept_orders integer,
    kept_first_revenue numeric(18, 3), kept_revenue numeric(18, 3), kept_margin numeric(18, 3)
);
"""


class Migration(migrations.Migration):
    dependencies = [("ltv", "0004_run_job"), ("customers", "0005_purchase_deltas")]
    operations = [
        migrations.RunSQL(ADD, migrations.RunSQL.noop),
        migrations.CreateModel(
            name="DailyRevenue",
            fields=[
                ("day", models.DateField(primary_key=True, serialize=False)),
                ("revenue", models.DecimalField(max_digits=20, decimal_places=3)),
                ("purchases", models.IntegerField()),
            ],
        ),
        migrations.AddField(
            "ltvrun", "cut_at", models.DateTimeField(blank=True, null=True, verbose_name="purchases known until")
        ),
        migrations.AddField(
            "ltvrun",
            "compared_with",
            models.ForeignKey(
                "ltv.ltvrun", blank=True, null=True, on_delete=models.SET_NULL, related_name="+"
            ),
        ),
    ]
