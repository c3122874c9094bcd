-- The mails the customer got, and those that ended otherwise. See customers/sql/story.sql.
SELECT 'message' AS what, m.id, 'mail' AS kind, coalesce(m.sent_at, m.due_at) AS at,
    jsonb_build_object('campaign', c.name, 'campaign_id', c.id, 'status', m.status, 'reason', m.reason, 'code', k.code) AS facts
FROM campaigns_message m
JOIN campaigns_campaign c ON c.id = m.campaign_id
LEFT JOIN campaigns_coupon k ON k.enrolment_id = m.enrolment_id
WHERE m.customer_id = %(customer)s AND coalesce(m.sent_at, m.due_at) < %(before)s
    AND m.status IN ('sent', 'failed', 'unknown', 'suppressed', 'held_out')
ORDER BY at DESC, id DESC LIMIT %(limit)s + 20
