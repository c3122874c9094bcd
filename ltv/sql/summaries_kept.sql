-- The summaries of changed customers as they would be without the refunds recorded since the last published run: all
-- purchases from the index purchase_rfm, as they are, less those with such a refund, and these again without it.
-- Parameters: as_of, margin_rate as summaries_refresh; cut (timestamptz, until when that run knew of refunds).
WITH undone AS MATERIALIZED (
    SELECT p.customer_id, p.purchased_on AS day, p.base_amount, p.base_cost, p.base_refunded,
        round((p.refunded - late.amount) * p.rate, 3) AS back
    FROM (
        SELECT purchase_id, sum(amount) AS amount FROM customers_refund WHERE recorded_at > %(cut)s GROUP BY purchase_id
    ) AS late
    JOIN customers_purchase AS p ON p.id = late.purchase_id
), refunded AS MATERIALIZED (
    SELECT DISTINCT customer_id FROM undone ORDER BY customer_id
), purchases AS (
    SELECT customer_id, all_theirs.* FROM refunded, LATERAL (
        SELECT purchased_on AS day, base_amount, base_cost, base_refunded AS back, 1 AS counts
        FROM customers_purchase
        WHERE customer_id = refunded.customer_id AND purchased_on < %(as_of)s AND base_amount IS NOT NULL
        OFFSET 0 -- a customer at a time by the index, however many rows the planner expects
    ) AS all_theirs
    UNION ALL
    SELECT customer_id, day, base_amount, base_cost, base_refunded, -1 FROM undone
    WHERE day < %(as_of)s AND base_amount IS NOT NULL
    UNION ALL
    SELECT customer_id, day, base_amount, base_cost, back, 1 FROM undone
    WHERE day < %(as_of)s AND base_amount IS NOT NULL
), days AS (
    SELECT customer_id, day,
        sum(counts) FILTER (WHERE back = 0 OR back < base_amount) AS orders,
        sum(counts * (base_amount - back)) AS net,
        sum(counts * (base_amount - back) * CASE
            WHEN base_cost IS NULL OR base_amount = 0 THEN %(margin_rate)s::numeric
            ELSE 1 - base_cost / base_amount END) AS margin
    FROM purchases
    GROUP BY customer_id, day
    HAVING sum(counts * (base_amount - back)) > 0 OR sum(counts * back) = 0
), fresh AS MATERIALIZED (
    SELECT refunded.customer_id, min(day) AS first_day, max(day) AS last_day, count(day)::int AS days,
        coalesce(sum(orders), 0)::int AS orders, ((array_agg(net ORDER BY day))[1] * 1000)::int8 AS first_revenue,
        (sum(net) * 1000)::int8 AS revenue, (sum(margin) * 1000)::int8 AS margin
    FROM refunded
    LEFT JOIN days ON days.customer_id = refunded.customer_id
    GROUP BY refunded.customer_id
)
UPDATE ltv_summarychange AS known
SET refunds = true, kept_first_day = fresh.first_day, kept_last_day = fresh.last_day, kept_days = fresh.days,
    kept_orders = fresh.orders, kept_first_revenue = fresh.first_revenue, kept_revenue = fresh.revenue,
    kept_margin = fresh.margin
FROM fresh WHERE fresh.customer_id = known.customer_id
