-- Take the customers whose purchases changed since the last night out of the queue.
-- The rows go first and are aggregated by a later statement, whose snapshot sees every purchase behind them.
CREATE TEMP TABLE ltv_changed ON COMMIT DROP AS
WITH taken AS (DELETE FROM customers_purchasechange RETURNING customer_id)
SELECT DISTINCT customer_id FROM taken ORDER BY customer_id
