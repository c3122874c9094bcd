-- What the customer bought. See story.sql.
SELECT 'purchase' AS what, id, 'purchase' AS kind, purchased_at AS at,
    jsonb_build_object('order', external_id, 'amount', amount::text, 'currency', currency,
        'channel', sales_channel, 'counted', base_amount IS NOT NULL) AS facts
FROM customers_purchase
WHERE customer_id = %(customer)s AND purchased_at < %(before)s
ORDER BY at DESC, id DESC LIMIT %(limit)s + 20
