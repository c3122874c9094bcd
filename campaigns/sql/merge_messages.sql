-- Moves the messages of a merged record to the customer kept. In a campaign both are in, the other's message does not
-- leave any more, and the kept one's neither if the other's has left or may have; their reserved coupons are cancelled.
-- Parameters: keep, other (customers). Runs after the other's enrolments were marked with merged_from.
WITH pair AS (
    SELECT theirs.id AS theirs, ours.id AS ours,
        theirs.status IN ('sending', 'sent', 'unknown') AS has_left
    FROM campaigns_message theirs
    JOIN campaigns_enrolment enrolment ON enrolment.id = theirs.enrolment_id AND enrolment.merged_from = %(other)s
    LEFT JOIN campaigns_message ours
        ON ours.campaign_id = theirs.campaign_id AND ours.customer_id = %(keep)s AND ours.merged_from IS NULL
    WHERE theirs.customer_id = %(other)s
), stopped AS (
    SELECT message.id, message.enrolment_id
    FROM campaigns_message message
    JOIN pair ON message.id = pair.theirs OR message.id = pair.ours AND pair.has_left
    WHERE message.status IN ('pending', 'claimed')
), cancelled AS (
    UPDATE campaigns_coupon coupon SET status = 'cancelled'
    FROM stopped
    WHERE coupon.enrolment_id = stopped.enrolment_id AND coupon.status = 'reserved'
)
UPDATE campaigns_message message
SET customer_id = %(keep)s,
    merged_from = CASE WHEN message.id IN (SELECT theirs FROM pair) THEN %(other)s ELSE message.merged_from END,
    status = CASE WHEN message.id IN (SELECT id FROM stopped) THEN 'suppressed' ELSE message.status END,
    reason = CASE WHEN message.id IN (SELECT id FROM stopped) THEN 'merged' ELSE message.reason END
WHERE message.customer_id = %(other)s OR message.id IN (SELECT id FROM stopped)
