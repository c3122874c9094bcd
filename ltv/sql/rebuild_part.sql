-- Recompute the summaries of the customers with low <= id < high in one ordered pass over the index purchase_rfm, and
-- write the rows that differ from what is stored.
-- Parameters: low, high (ids); as_of (date) and margin_rate as summaries_refresh, whose meaning this shares;
-- audit (boolean: count those that differed unmarked); remember (boolean: keep the rows that a published run had and
-- whose purchases differ, for the reasons of change).
-- Returns rows (summaries there are), corrected (rows written), gone (rows deleted), missed (of both, those unmarked).
WITH fresh AS MATERIALIZED (
    SELECT customer_id, min(day) AS first_day, max(day) AS last_day, count(*)::int AS days,
        sum(orders)::int AS orders, ((array_agg(net))[1] * 1000)::int8 AS first_revenue,
        (sum(net) * 1000)::int8 AS revenue, (sum(margin) * 1000)::int8 AS margin
    FROM (
        SELECT customer_id, purchased_on AS day,
            count(*) FILTER (WHERE base_refunded = 0 OR base_refunded < base_amount) AS orders,
            sum(base_amount - base_refunded) AS net,
            sum((base_amount - base_refunded) * CASE
                WHEN base_cost IS NULL OR base_amount = 0 THEN %(margin_rate)s::numeric
                ELSE 1 - base_cost / base_amount END) AS margin
        FROM customers_purchase
        WHERE customer_id >= %(low)s AND customer_id < %(high)s
            AND purchased_on < %(as_of)s AND base_amount IS NOT NULL
        GROUP BY customer_id, purchased_on
        HAVING sum(base_amount - base_refunded) > 0 OR sum(base_refunded) = 0
        ORDER BY customer_id, purchased_on
    ) AS days
    GROUP BY customer_id
), differing AS MATERIALIZED (
    SELECT fresh.*
    FROM fresh
    LEFT JOIN ltv_purchasesummary AS stored ON stored.customer_id = fresh.customer_id
        AND stored.customer_id >= %(low)s AND stored.customer_id < %(high)s
    WHERE (stored.first_day, stored.last_day, stored.days, stored.orders, stored.first_revenue, stored.revenue,
            stored.margin)
        IS DISTINCT FROM (fresh.first_day, fresh.last_day, fresh.days, fresh.orders, fresh.first_revenue,
            fresh.revenue, fresh.margin)
), remembered AS (
    INSERT INTO ltv_summarychange (customer_id, before_first_day, before_last_day, before_days, before_orders,
        before_first_revenue, before_revenue, before_margin)
    SELECT fresh.customer_id, stored.first_day, stored.last_day, stored.days, stored.orders, stored.first_revenue,
        stored.revenue, stored.margin
    FROM differing AS fresh
    LEFT JOIN ltv_purchasesummary AS stored ON stored.customer_id = fresh.customer_id
        AND stored.customer_id >= %(low)s AND stored.customer_id < %(high)s
    WHERE %(remember)s
        AND (stored.first_day, stored.last_day, stored.days, stored.orders, stored.first_revenue, stored.revenue)
        IS DISTINCT FROM (fresh.first_day, fresh.last_day, fresh.days, fresh.orders, fresh.first_revenue, fresh.revenue)
    ON CONFLICT (customer_id) DO NOTHING
), corrected AS (
    INSERT INTO ltv_purchasesummary AS stored
        (customer_id, first_day, last_day, days, orders, first_revenue, revenue, margin)
    SELECT customer_id, first_day, last_day, days, orders, first_revenue, revenue, margin FROM differing
    ON CONFLICT (customer_id) DO UPDATE SET first_day = excluded.first_day, last_day = excluded.last_day,
        days = excluded.days, orders = excluded.orders, first_revenue = excluded.first_revenue,
        revenue = excluded.revenue, margin = excluded.margin
    RETURNING customer_id
), gone AS (
    DELETE FROM ltv_purchasesummary AS stored
    WHERE stored.customer_id >= %(low)s AND stored.customer_id < %(high)s
        AND NOT EXISTS (SELECT FROM fresh WHERE fresh.customer_id = stored.customer_id)
    RETURNING customer_id, first_day, last_day, days, orders, first_revenue, revenue, margin
), remembered_gone AS (
    INSERT INTO ltv_summarychange (customer_id, before_first_day, before_last_day, before_days, before_orders,
        before_first_revenue, before_revenue, before_margin)
    SELECT customer_id, first_day, last_day, days, orders, first_revenue, revenue, margin FROM gone WHERE %(remember)s
    ON CONFLICT (customer_id) DO NOTHING
), missed AS (
    SELECT FROM (SELECT customer_id FROM corrected UNION ALL SELECT customer_id FROM gone) AS found
    WHERE %(audit)s AND NOT EXISTS (
        SELECT FROM customers_purchasechange AS mark WHERE mark.customer_id = found.customer_id)
)
SELECT (SELECT count(*) FROM fresh) AS rows, (SELECT count(*) FROM corrected) AS corrected,
    (SELECT count(*) FROM gone) AS gone, (SELECT count(*) FROM missed) AS missed
