-- Writes down what the mail server said, while the claim is ours, and issues the coupon that the customer holds or
-- may hold. A message that was found silent and marked unknown still learns that it was sent or refused.
-- Parameters: message; token; from_status ("sending", or "claimed" where no SMTP was tried); status; reason;
--   reply; tries (added to the count); sent_at (NULL unless sent); due_at (NULL: unchanged).
WITH changed AS (
    UPDATE campaigns_message
    SET status = %(status)s, reason = %(reason)s, smtp_reply = %(reply)s, attempts = attempts + %(tries)s,
        sent_at = %(sent_at)s, due_at = coalesce(%(due_at)s, due_at)
    WHERE id = %(message)s AND lease_token = %(token)s
        AND (status = %(from_status)s OR status = 'unknown' AND %(status)s IN ('sent', 'failed'))
    RETURNING enrolment_id, status
), issued AS (
    UPDATE campaigns_coupon coupon
    SET status = CASE WHEN changed.status = 'failed' THEN 'cancelled' ELSE 'issued' END
    FROM changed
    WHERE coupon.enrolment_id = changed.enrolment_id AND coupon.status = 'reserved'
        AND changed.status IN ('sent', 'unknown', 'failed')
)
SELECT count(*) AS changed FROM changed
