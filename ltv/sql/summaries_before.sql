-- Keep what the last published run knew of the customers in ltv_changed, until the next one is published.
INSERT INTO ltv_summarychange (customer_id, before_first_day, before_last_day, before_days, before_orders,
    before_first_revenue, before_revenue, before_margin)
SELECT changed.customer_id, s.first_day, s.last_day, s.days, s.orders, s.first_revenue, s.revenue, s.margin
FROM ltv_changed AS changed
LEFT JOIN ltv_purchasesummary AS s ON s.customer_id = changed.customer_id
ON CONFLICT (customer_id) DO NOTHING
