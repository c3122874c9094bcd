-- One customer's purchase summary as it is now, if purchases changed since the run readers see; no row otherwise.
-- Marked in the queue, or taken out of it by a night that has not published yet.
-- Parameters: customer_id; as_of (date) and margin_rate as summaries_refresh, whose meaning this shares.
-- Units: as histories_read. 0 days: nothing was bought, or all of it was given back.
SELECT marked.customer_id, count(day)::int4 AS days, coalesce(sum(orders), 0)::int4 AS orders,
    coalesce(min(day) - date '2000-01-01', 0)::int4 AS first_day,
    coalesce(max(day) - date '2000-01-01', 0)::int4 AS last_day,
    coalesce(((array_agg(net ORDER BY day))[1] * 1000)::int8, 0) AS first_revenue,
    coalesce((sum(net) * 1000)::int8, 0) AS revenue, coalesce((round(sum(margin), 3) * 1000)::int8, 0) AS margin
FROM (
    SELECT %(customer_id)s::bigint AS customer_id
    WHERE EXISTS (SELECT FROM customers_purchasechange WHERE customer_id = %(customer_id)s::bigint)
        OR EXISTS (SELECT FROM ltv_summarychange WHERE customer_id = %(customer_id)s::bigint)
) AS marked
LEFT JOIN LATERAL (
    SELECT purchased_on AS day,
        count(*) FILTER (WHERE base_refunded = 0 OR base_refunded < base_amount) AS orders,
        sum(base_amount - base_refunded) AS net,
        sum((base_amount - base_refunded) * CASE
            WHEN base_cost IS NULL OR base_amount = 0 THEN %(margin_rate)s::numeric
            ELSE 1 - base_cost / base_amount END) AS margin
    FROM customers_purchase
    WHERE customer_id = marked.customer_id AND purchased_on < %(as_of)s::date AND base_amount IS NOT NULL
    GROUP BY purchased_on
    HAVING sum(base_amount - base_refunded) > 0 OR sum(base_refunded) = 0
) AS days ON true
GROUP BY marked.customer_id
