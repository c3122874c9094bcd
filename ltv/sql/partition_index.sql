-- The indices of the partitioned table, made here first so that ATTACH has nothing to build. The planner is told of what
-- rules ask for (ltv/traits.py) and nothing else; a quarter of the usual sample tells it as much of numbers that are spread
-- this evenly. All columns in full would take as long as the indices twice.
ALTER TABLE {partition} ADD PRIMARY KEY (customer_id, run_id) INCLUDE (clv);
CREATE INDEX {index} ON {partition} (clv DESC, customer_id DESC);
SET LOCAL default_statistics_target = 25;
ANALYZE {partition} (run_id, customer_id, orders, frequency, recency_days, age_days, revenue, margin, average_purchase,
    formula_ltv, ltv_to_cac, r_score, f_score, m_score, clv, clv_before, clv_decile, expected_value, expected_value_low,
    p_alive, p_no_purchase, next_purchase_on)
