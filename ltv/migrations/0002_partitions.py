"""The partitioned table of figures, and the view of the run the pointer names."""

from django.db import migrations

CREATE = """
CREATE TABLE ltv_customerltv (
    run_id bigint NOT NULL,
    customer_id bigint NOT NULL,
    orders integer NOT NULL,
    frequency integer NOT NULL,
    recency_days integer,
    age_days integer,
    revenue numeric(18, 3) NOT NULL,
    margin numeric(18, 3) NOT NULL,
    average_purchase numeric(18, 3),
    purchases_per_month double precision,
    formula_ltv numeric(18, 3),
    margin_clv numeric(18, 3),
    channel_cac numeric(18, 3),
    ltv_to_cac double precision,
    expected_purchases double precision,
    expected_value numeric(18, 3),
    expected_value_low numeric(18, 3),
    expected_value_high numeric(18, 3),
    clv numeric(18, 3) NOT NULL,
    p_alive double precision CHECK (p_alive BETWEEN 0 AND 1),
    p_no_purchase double precision CHECK (p_no_purchase BETWEEN 0 AND 1),
    next_purchase_on date,
    CHECK (frequency >= 0 AND orders >= 0),
    CHECK (expected_value_low <= expected_value_high),
    PRIMARY KEY (run_id, customer_id)
) PARTITION BY LIST (run_id);
CREATE INDEX ltv_customerltv_clv ON ltv_customerltv (clv DESC, customer_id DESC);
CREATE VIEW ltv_current AS
    SELECT * FROM ltv_customerltv WHERE run_id = (SELECT run_id FROM ltv_currentrun);

-- a run's predictions on their way back from numpy
CREATE UNLOGGED TABLE ltv_prediction (
    run_id bigint NOT NULL,
    customer_id bigint NOT NULL,
    expected_purchases double precision NOT NULL,
    expected_value double precision NOT NULL,
    expected_value_low double precision NOT NULL,
    expected_value_high double precision NOT NULL,
    clv double precision NOT NULL,
    p_alive double precision NOT NULL,
    p_no_purchase double precision NOT NULL,
    next_purchase_days double precision NOT NULL
);
"""
DROP = "DROP VIEW ltv_current; DROP TABLE ltv_customerltv, ltv_prediction;"


class Migration(migrations.Migration):
    dependencies = [("ltv", "0001_initial")]
    operations = [migrations.RunSQL(CREATE, DROP)]
