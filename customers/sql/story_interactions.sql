-- What staff and the customer said to each other. See story.sql.
SELECT 'interaction' AS what, i.id, 'interaction' AS kind, i.occurred_at AS at,
    jsonb_build_object('kind', i.kind, 'direction', i.direction, 'outcome', i.outcome, 'note', i.note,
        'staff', u.username) AS facts
FROM customers_interaction i
LEFT JOIN common_user u ON u.id = i.staff_id
WHERE i.customer_id = %(customer)s AND i.occurred_at < %(before)s
ORDER BY at DESC, id DESC LIMIT %(limit)s + 20
