-- Every buyer's purchase summary as of a past day, from the ledger as it is now, in order of id: one ordered pass over
-- the index purchase_rfm. Parameters: as_of (date) and margin_rate as summaries_refresh, whose meaning this shares.
-- Units: as histories_read.
SELECT customer_id::int8 AS customer_id, count(*)::int4 AS days, sum(orders)::int4 AS orders,
    (min(day) - date '2000-01-01')::int4 AS first_day, (max(day) - date '2000-01-01')::int4 AS last_day,
    ((array_agg(net ORDER BY day))[1] * 1000)::int8 AS first_revenue, (sum(net) * 1000)::int8 AS revenue,
    (round(sum(margin), 3) * 1000)::int8 AS margin
FROM (
    SELECT customer_id, purchased_on AS day,
        count(*) FILTER (WHERE base_refunded = 0 OR base_refunded < base_amount) AS orders,
        sum(base_amount - base_refunded) AS net,
        sum((base_amount - base_refunded) * CASE
            WHEN base_cost IS NULL OR base_amount = 0 THEN %(margin_rate)s::numeric
            ELSE 1 - base_cost / base_amount END) AS margin
    FROM customers_purchase
    WHERE purchased_on < %(as_of)s::date AND base_amount IS NOT NULL
    GROUP BY customer_id, purchased_on
    HAVING sum(base_amount - base_refunded) > 0 OR sum(base_refunded) = 0
    ORDER BY customer_id, purchased_on
) AS days
GROUP BY customer_id
ORDER BY customer_id
