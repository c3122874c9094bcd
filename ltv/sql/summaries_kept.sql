-- The summaries of changed customers as they would be without the refunds recorded since the last published run.
-- Parameters: as_of, margin_rate as summaries_refresh; cut (timestamptz, until when that run knew of refunds).
WITH undone AS (
    SELECT purchase_id, sum(amount) AS amount FROM customers_refund WHERE recorded_at > %(cut)s GROUP BY purchase_id
), refunded AS (
    SELECT DISTINCT p.customer_id
    FROM undone
    JOIN customers_purchase AS p ON p.id = undone.purchase_id
    JOIN ltv_summarychange AS known ON known.customer_id = p.customer_id
), fresh AS (
    SELECT refunded.customer_id, min(day) AS first_day, max(day) AS last_day, count(day)::int AS days,
        coalesce(sum(orders), 0)::int AS orders, ((array_agg(net ORDER BY day))[1] * 1000)::int8 AS first_revenue,
        (sum(net) * 1000)::int8 AS revenue, (sum(margin) * 1000)::int8 AS margin
    FROM refunded
    LEFT JOIN LATERAL (
        SELECT day, count(*) FILTER (WHERE back = 0 OR back < base_amount) AS orders, sum(base_amount - back) AS net,
            sum((base_amount - back) * CASE
                WHEN base_cost IS NULL OR base_amount = 0 THEN %(margin_rate)s::numeric
                ELSE 1 - base_cost / base_amount END) AS margin
        FROM (
            SELECT p.purchased_on AS day, p.base_amount, p.base_cost,
                CASE WHEN undone.amount IS NULL THEN p.base_refunded
                    ELSE round((p.refunded - undone.amount) * p.rate, 3) END AS back
            FROM customers_purchase AS p
            LEFT JOIN undone ON undone.purchase_id = p.id
            WHERE p.customer_id = refunded.customer_id AND p.purchased_on < %(as_of)s AND p.base_amount IS NOT NULL
        ) AS purchases
        GROUP BY day
        HAVING sum(base_amount - back) > 0 OR sum(back) = 0
    ) AS days ON true
    GROUP BY refunded.customer_id
)
UPDATE ltv_summarychange AS known
SET refunds = true, kept_first_day = fresh.first_day, kept_last_day = fresh.last_day, kept_days = fresh.days,
    kept_orders = fresh.orders, kept_first_revenue = fresh.first_revenue, kept_revenue = fresh.revenue,
    kept_margin = fresh.margin
FROM fresh WHERE fresh.customer_id = known.customer_id
