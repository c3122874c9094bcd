-- Takes messages that wait or are merely claimed out of the queue, and cancels their reserved coupons. A claim is
-- only broken, never waited for: its worker's next conditional update touches nothing.
-- Parameters, each NULL for "any": campaign, customer, purpose, address (messages to it); only_stopped (true: of
--   stopped campaigns); reason.
WITH taken AS (
    UPDATE campaigns_message message
    SET status = 'suppressed', reason = %(reason)s
    FROM campaigns_campaign campaign
    WHERE campaign.id = message.campaign_id AND message.status IN ('pending', 'claimed')
        AND (%(campaign)s::bigint IS NULL OR message.campaign_id = %(campaign)s)
        AND (%(customer)s::bigint IS NULL OR message.customer_id = %(customer)s)
        AND (%(purpose)s::text IS NULL OR campaign.purpose = %(purpose)s)
        AND (%(address)s::text IS NULL OR message.address = %(address)s)
        AND (NOT %(only_stopped)s OR campaign.status = 'stopped')
    RETURNING message.enrolment_id
), cancelled AS (
    UPDATE campaigns_coupon coupon SET status = 'cancelled'
    FROM taken
    WHERE coupon.enrolment_id = taken.enrolment_id AND coupon.status = 'reserved'
)
SELECT count(*) AS taken FROM taken
