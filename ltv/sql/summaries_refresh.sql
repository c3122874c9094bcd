-- Recompute the summaries of the customers in ltv_changed, exactly, from the index purchase_rfm.
-- Parameters: as_of (date; purchases on or after it are left out), margin_rate (share of revenue).
-- Units: thousandths of base currency. A day counts unless refunds brought it to nothing. Cost returns with the goods refunded.
MERGE INTO ltv_purchasesummary AS target USING (
    SELECT changed.customer_id, min(day) AS first_day, max(day) AS last_day, count(day)::int AS days,
        coalesce(sum(orders), 0)::int AS orders, ((array_agg(net ORDER BY day))[1] * 1000)::int8 AS first_revenue,
        (sum(net) * 1000)::int8 AS revenue, (sum(margin) * 1000)::int8 AS margin
    FROM ltv_changed AS changed
    LEFT JOIN LATERAL (
        SELECT purchased_on AS day,
            count(*) FILTER (WHERE base_refunded = 0 OR base_refunded < base_amount) AS orders,
            sum(base_amount - base_refunded) AS net,
            sum((base_amount - base_refunded) * CASE
                WHEN base_cost IS NULL OR base_amount = 0 THEN %(margin_rate)s::numeric
                ELSE 1 - base_cost / base_amount END) AS margin
        FROM customers_purchase
        WHERE customer_id = changed.customer_id AND purchased_on < %(as_of)s AND base_amount IS NOT NULL
        GROUP BY purchased_on
        HAVING sum(base_amount - base_refunded) > 0 OR sum(base_refunded) = 0
    ) AS days ON true
    GROUP BY changed.customer_id
) AS fresh ON target.customer_id = fresh.customer_id
WHEN MATCHED AND fresh.days = 0 THEN DELETE
WHEN MATCHED THEN UPDATE SET first_day = fresh.first_day, last_day = fresh.last_day, days = fresh.days,
    orders = fresh.orders, first_revenue = fresh.first_revenue, revenue = fresh.revenue, margin = fresh.margin
WHEN NOT MATCHED AND fresh.days > 0 THEN
    INSERT (customer_id, first_day, last_day, days, orders, first_revenue, revenue, margin)
    VALUES (fresh.customer_id, fresh.first_day, fresh.last_day, fresh.days, fresh.orders, fresh.first_revenue,
        fresh.revenue, fresh.margin)
