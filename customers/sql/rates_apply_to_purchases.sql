-- Give purchases without a base amount the latest rate on or before their business day; their cost, refunds and amount
-- follow, a cost known in base currency alone stays. Their customers are marked
-- as changed by the trigger. Parameters: base: base currency, worth 1.
UPDATE customers_purchase p
SET rate = w.rate, base_amount = round(p.amount * w.rate, 3), base_refunded = round(p.refunded * w.rate, 3),
    base_cost = coalesce(round(p.cost * w.rate, 3), p.base_cost)
FROM (
    SELECT u.id, CASE WHEN u.currency = %(base)s THEN 1 ELSE x.rate END AS rate
    FROM customers_purchase u
    LEFT JOIN LATERAL (
        SELECT r.rate FROM customers_exchangerate r
        WHERE r.currency = u.currency AND r.day <= u.purchased_on
        ORDER BY r.day DESC LIMIT 1
    ) x ON true
    WHERE u.base_amount IS NULL AND (u.currency = %(base)s OR x.rate IS NOT NULL)
) w
WHERE p.id = w.id AND p.base_amount IS NULL
