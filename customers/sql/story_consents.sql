-- What the customer said about being contacted. See story.sql.
SELECT 'consent' AS what, c.id, 'consent' AS kind, c.stated_at AS at,
    jsonb_build_object('purpose', c.purpose, 'status', c.status, 'source', c.source, 'staff', u.username) AS facts
FROM customers_consent c
LEFT JOIN common_user u ON u.id = c.recorded_by_id
WHERE c.customer_id = %(customer)s AND c.stated_at < %(before)s
ORDER BY at DESC, id DESC LIMIT %(limit)s + 20
