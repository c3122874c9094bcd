-- The segments the customer entered and left. See story.sql.
SELECT moment.what, m.id, 'segment' AS kind, moment.at,
    jsonb_build_object('segment', s.name, 'key', s.key, 'segment_id', s.id, 'customer_id', m.customer_id) AS facts
FROM customers_segmentmembership m
JOIN customers_segment s ON s.id = m.segment_id
CROSS JOIN LATERAL (VALUES ('entered', m.entered_at), ('left', m.left_at)) AS moment (what, at)
WHERE m.customer_id = %(customer)s AND moment.at < %(before)s
ORDER BY at DESC, id DESC LIMIT %(limit)s + 20
