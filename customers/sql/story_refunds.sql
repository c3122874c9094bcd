-- What the customer was given back. See story.sql.
SELECT 'refund' AS what, r.id, 'refund' AS kind, r.refunded_at AS at,
    jsonb_build_object('order', p.external_id, 'amount', r.amount::text, 'currency', p.currency,
        'reason', r.reason) AS facts
FROM customers_purchase p
JOIN customers_refund r ON r.purchase_id = p.id
WHERE p.customer_id = %(customer)s AND r.refunded_at < %(before)s
ORDER BY at DESC, id DESC LIMIT %(limit)s + 20
