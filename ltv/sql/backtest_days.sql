-- Purchase days of a lasting sample of buyers, in order of customer and day, as fixed-width numbers for numpy.
-- Parameters: customers (how many at most; by a hash of the id, so that it is the same ones from week to week);
--   as_of (date: only days before it); today (date: days after it are read too, for they are wrong and must be seen).
-- day: counted from 1970-01-01; net: revenue less refunds in base currency. A day that refunds brought to nothing is none.
WITH chosen AS (
    SELECT customer_id FROM ltv_purchasesummary
    ORDER BY hashint8extended(customer_id, 0), customer_id
    LIMIT %(customers)s
)
SELECT purchase.customer_id::int8 AS customer_id,
    (purchase.purchased_on - DATE '1970-01-01')::int4 AS day,
    sum(purchase.base_amount - purchase.base_refunded)::float8 AS net
FROM chosen
JOIN customers_purchase purchase ON purchase.customer_id = chosen.customer_id
WHERE purchase.base_amount IS NOT NULL
    AND (purchase.purchased_on < %(as_of)s OR purchase.purchased_on > %(today)s)
GROUP BY purchase.customer_id, purchase.purchased_on
HAVING sum(purchase.base_amount - purchase.base_refunded) > 0 OR sum(purchase.base_refunded) = 0
ORDER BY purchase.customer_id, purchase.purchased_on
