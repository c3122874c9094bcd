-- Fold what was written to purchases since the last night into the days it belongs to.
WITH taken AS (DELETE FROM customers_purchasedelta RETURNING day, revenue, purchases)
INSERT INTO ltv_dailyrevenue AS stored (day, revenue, purchases)
SELECT day, sum(revenue), sum(purchases) FROM taken GROUP BY day
ON CONFLICT (day) DO UPDATE
    SET revenue = stored.revenue + excluded.revenue, purchases = stored.purchases + excluded.purchases
