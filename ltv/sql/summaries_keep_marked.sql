-- Purchases dated on or after as_of were left out: keep their customers marked for a later night.
-- A business day begins at most a day and a half from the same date in UTC, which the index on purchased_at can use.
INSERT INTO customers_purchasechange (customer_id)
SELECT DISTINCT customer_id FROM customers_purchase
WHERE purchased_on >= %(as_of)s AND purchased_at >= %(as_of)s::timestamp AT TIME ZONE 'UTC' - interval '36 hours'
