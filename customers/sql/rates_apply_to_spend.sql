-- Give marketing spend without a base amount the latest rate on or before the last day of its month.
-- Parameters: base: base currency, worth 1.
UPDATE customers_marketingspend s
SET base_amount = round(s.amount * w.rate, 3)
FROM (
    SELECT u.id, CASE WHEN u.currency = %(base)s THEN 1 ELSE x.rate END AS rate
    FROM customers_marketingspend u
    LEFT JOIN LATERAL (
        SELECT r.rate FROM customers_exchangerate r
        WHERE r.currency = u.currency AND r.day < u.month + interval '1 month'
        ORDER BY r.day DESC LIMIT 1
    ) x ON true
    WHERE u.base_amount IS NULL AND (u.currency = %(base)s OR x.rate IS NOT NULL)
) w
WHERE s.id = w.id
