-- Messages whose worker died while sending: nobody knows whether the server took them, so they are never sent again
-- by themselves. The customer may hold the coupon: it is issued.
-- Parameters: now.
WITH silent AS (
    UPDATE campaigns_message
    SET status = 'unknown', reason = 'worker_lost', attempts = attempts + 1
    WHERE status = 'sending' AND leased_until < %(now)s
    RETURNING enrolment_id
), issued AS (
    UPDATE campaigns_coupon coupon SET status = 'issued'
    FROM silent
    WHERE coupon.enrolment_id = silent.enrolment_id AND coupon.status = 'reserved'
)
SELECT count(*) AS silent FROM silent
