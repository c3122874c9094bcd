-- Of each customer with low <= id < high whose purchases changed since the last published run, in order of id: the
-- summary that run had (before_*), and today's with the refunds recorded since then undone (kept_*). 0 days: none.
-- Parameters: low, high. Units: as histories_read.
SELECT customer_id::int8 AS customer_id,
    coalesce(before_days, 0)::int4 AS before_days, coalesce(before_orders, 0)::int4 AS before_orders,
    coalesce(before_first_day - date '2000-01-01', 0)::int4 AS before_first_day,
    coalesce(before_last_day - date '2000-01-01', 0)::int4 AS before_last_day,
    coalesce(before_first_revenue, 0) AS before_first_revenue,
    coalesce(before_revenue, 0) AS before_revenue, coalesce(before_margin, 0) AS before_margin,
    refunds, coalesce(kept_days, 0)::int4 AS kept_days, coalesce(kept_orders, 0)::int4 AS kept_orders,
    coalesce(kept_first_day - date '2000-01-01', 0)::int4 AS kept_first_day,
    coalesce(kept_last_day - date '2000-01-01', 0)::int4 AS kept_last_day,
    coalesce(kept_first_revenue, 0) AS kept_first_revenue,
    coalesce(kept_revenue, 0) AS kept_revenue, coalesce(kept_margin, 0) AS kept_margin
FROM ltv_summarychange WHERE customer_id >= %(low)s AND customer_id < %(high)s ORDER BY customer_id
