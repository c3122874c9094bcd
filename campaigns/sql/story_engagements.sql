-- What the customer did with a mail. See customers/sql/story.sql.
SELECT 'engagement' AS what, e.id, meant.kind, e.happened_at AS at,
    jsonb_build_object('campaign', c.name, 'campaign_id', c.id, 'did', e.kind) AS facts
FROM campaigns_message m
JOIN campaigns_engagement e ON e.message_id = m.id
JOIN campaigns_campaign c ON c.id = m.campaign_id
JOIN (VALUES ('redeemed', 'coupon'), ('unsubscribed', 'consent'), ('clicked', 'mail')) AS meant (did, kind)
    ON meant.did = e.kind
WHERE m.customer_id = %(customer)s AND e.happened_at < %(before)s AND meant.kind = ANY(%(kinds)s)
ORDER BY at DESC, id DESC LIMIT %(limit)s + 20
