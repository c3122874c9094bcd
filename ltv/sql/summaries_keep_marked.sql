-- Purchases dated on or after as_of were left out: keep their customers marked for a later night.
INSERT INTO customers_purchasechange (customer_id)
SELECT DISTINCT customer_id FROM customers_purchase WHERE purchased_on >= %(as_of)s
