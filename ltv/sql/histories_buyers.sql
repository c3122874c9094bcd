-- The purchase summaries of the customers with low <= id < high, in order of id, as fixed-width numbers for numpy.
-- Parameters: low, high. Units: as histories_read.
SELECT customer_id::int8 AS customer_id, days::int4 AS days, orders::int4 AS orders,
    first_day - date '2000-01-01' AS first_day, last_day - date '2000-01-01' AS last_day,
    first_revenue, revenue, margin
FROM ltv_purchasesummary
WHERE customer_id >= %(low)s AND customer_id < %(high)s
ORDER BY customer_id
