-- Write the rows of the full pass (ltv_all) that differ from what is stored; the count is the audit's finding.
INSERT INTO ltv_purchasesummary AS stored
    (customer_id, first_day, last_day, days, orders, first_revenue, revenue, margin)
SELECT customer_id, first_day, last_day, days, orders, first_revenue, revenue, margin FROM ltv_all
ON CONFLICT (customer_id) DO UPDATE SET first_day = excluded.first_day, last_day = excluded.last_day,
    days = excluded.days, orders = excluded.orders, first_revenue = excluded.first_revenue,
    revenue = excluded.revenue, margin = excluded.margin
WHERE (stored.first_day, stored.last_day, stored.days, stored.orders, stored.first_revenue, stored.revenue, stored.margin)
    IS DISTINCT FROM (excluded.first_day, excluded.last_day, excluded.days, excluded.orders, excluded.first_revenue,
        excluded.revenue, excluded.margin)
