-- What becomes of a claimed message that may not be sent: not sent, with the reason; back to waiting where the
-- campaign is paused. The reserved coupon of one not sent is cancelled. A message no longer ours is left alone.
-- Parameters: message; token (of the claim).
WITH found AS (
    SELECT
        message.id,
        CASE
            WHEN campaign.status IN ('stopped', 'finished') THEN 'campaign_stopped'
            WHEN customer.email_normalised IS DISTINCT FROM message.address THEN 'address_changed'
            WHEN NOT EXISTS (
                SELECT FROM customers_consent consent
                WHERE consent.customer_id = message.customer_id AND consent.purpose = campaign.purpose
                    AND consent.superseded_at IS NULL AND consent.status = 'granted'
            ) THEN 'consent_withdrawn'
            WHEN EXISTS (
                SELECT FROM campaigns_suppression block
                WHERE block.address_hash = message.address_hash AND block.lifted_at IS NULL
                    AND block.purpose IN ('', campaign.purpose)
            ) THEN 'address_blocked'
            ELSE ''
        END AS reason
    FROM campaigns_message message
    JOIN campaigns_campaign campaign ON campaign.id = message.campaign_id
    JOIN customers_customer customer ON customer.id = message.customer_id
    WHERE message.id = %(message)s
), changed AS (
    UPDATE campaigns_message message
    SET status = CASE WHEN found.reason = '' THEN 'pending' ELSE 'suppressed' END, reason = found.reason
    FROM found
    WHERE message.id = found.id AND message.status = 'claimed' AND message.lease_token = %(token)s
    RETURNING message.enrolment_id, message.status, message.reason
), cancelled AS (
    UPDATE campaigns_coupon coupon SET status = 'cancelled'
    FROM changed
    WHERE changed.status = 'suppressed' AND coupon.enrolment_id = changed.enrolment_id
        AND coupon.status = 'reserved'
)
SELECT status, reason FROM changed
