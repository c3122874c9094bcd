-- Every day added up anew from all purchases; writes only what differs, and the count is the audit's finding.
-- Units: base currency, net of refunds.
WITH fresh AS (
    SELECT purchased_on AS day, sum(base_amount - base_refunded) AS revenue, count(*)::int AS purchases
    FROM customers_purchase WHERE base_amount IS NOT NULL GROUP BY purchased_on
)
MERGE INTO ltv_dailyrevenue AS stored USING (
    SELECT coalesce(fresh.day, known.day) AS day, coalesce(fresh.revenue, 0) AS revenue,
        coalesce(fresh.purchases, 0) AS purchases
    FROM fresh FULL JOIN ltv_dailyrevenue AS known ON known.day = fresh.day
    WHERE (fresh.revenue, fresh.purchases) IS DISTINCT FROM (known.revenue, known.purchases)
        AND (fresh.day IS NOT NULL OR known.purchases <> 0 OR known.revenue <> 0)
) AS differing ON stored.day = differing.day
WHEN MATCHED THEN UPDATE SET revenue = differing.revenue, purchases = differing.purchases
WHEN NOT MATCHED THEN INSERT (day, revenue, purchases) VALUES (differing.day, differing.revenue, differing.purchases)
