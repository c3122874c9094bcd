-- What a kept run says of the customers with low <= id < high, in order of id; 0 where it says nothing.
-- Parameters: low, high. Units: days; money in thousandths of the run's currency.
SELECT customer_id::int8 AS customer_id, orders::int4 AS orders, frequency::int4 AS frequency,
    coalesce(recency_days, 0)::int4 AS recency_days, coalesce(age_days, 0)::int4 AS age_days,
    (revenue * 1000)::int8 AS revenue, (margin * 1000)::int8 AS margin,
    coalesce((average_purchase * 1000)::int8, 0) AS average_purchase,
    coalesce((formula_ltv * 1000)::int8, 0) AS formula_ltv, coalesce((margin_clv * 1000)::int8, 0) AS margin_clv,
    coalesce((expected_value * 1000)::int8, 0) AS expected_value, (clv * 1000)::int8 AS clv,
    coalesce(expected_purchases, 0)::float8 AS expected_purchases
FROM {partition}
WHERE run_id = {run_id} AND customer_id >= %(low)s AND customer_id < %(high)s
ORDER BY customer_id
