-- What a kept run says of the customers with low <= id < high, in order of id; 0 where it says nothing.
-- Parameters: low, high. Units: days; money in thousandths of the run's currency.
SELECT customer_id::int8 AS customer_id, orders::int4 AS orders, frequency::int4 AS frequency,
    coalesce(recency_days, 0)::int4 AS recency_days, coalesce(age_days, 0)::int4 AS age_days,
    revenue, margin, coalesce(average_purchase, 0) AS average_purchase,
    coalesce(formula_ltv, 0) AS formula_ltv, coalesce(margin_clv, 0) AS margin_clv,
    coalesce(expected_value, 0) AS expected_value, clv, coalesce(expected_purchases, 0)::float8 AS expected_purchases
FROM {partition}
WHERE run_id = {run_id} AND customer_id >= %(low)s AND customer_id < %(high)s
ORDER BY customer_id
