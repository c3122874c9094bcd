-- Summaries of every customer in one ordered pass over the index purchase_rfm, into a temporary table.
-- Parameters and meaning: as summaries_refresh.
CREATE TEMP TABLE ltv_all ON COMMIT DROP AS
SELECT customer_id, min(day) AS first_day, max(day) AS last_day, count(*)::int AS days, sum(orders)::int AS orders,
    (array_agg(net))[1] AS first_revenue, sum(net) AS revenue, round(sum(margin), 3) AS margin
FROM (
    SELECT customer_id, purchased_on AS day,
        count(*) FILTER (WHERE base_refunded = 0 OR base_refunded < base_amount) AS orders,
        sum(base_amount - base_refunded) AS net,
        sum((base_amount - base_refunded) * CASE
            WHEN base_cost IS NULL OR base_amount = 0 THEN %(margin_rate)s::numeric
            ELSE 1 - base_cost / base_amount END) AS margin
    FROM customers_purchase
    WHERE purchased_on < %(as_of)s AND base_amount IS NOT NULL
    GROUP BY customer_id, purchased_on
    HAVING sum(base_amount - base_refunded) > 0 OR sum(base_refunded) = 0
    ORDER BY customer_id, purchased_on
) AS days
GROUP BY customer_id
