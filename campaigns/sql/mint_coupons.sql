-- A coupon, reserved, for every waiting message of a campaign that has none.
-- A code is 16 letters of Crockford's base 32 (80 bits) out of SHA-256 over 244 bits of PostgreSQL's strong random
-- source; 256 is a multiple of 32, so every letter is equally likely.
-- Parameters: campaign; offer; expires_at.
INSERT INTO campaigns_coupon (offer_id, enrolment_id, customer_id, code, status, expires_at, order_ref)
SELECT %(offer)s, message.enrolment_id, message.customer_id, minted.code, 'reserved', %(expires_at)s, ''
FROM campaigns_message message
CROSS JOIN LATERAL (
    SELECT string_agg(
        substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', (get_byte(drawn.bytes, place) & 31) + 1, 1), '' ORDER BY place
    ) AS code
    FROM (
        -- the message's id makes this a draw of its own for every row
        SELECT sha256(
            uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || int8send(message.id)
        ) AS bytes
    ) drawn, generate_series(0, 15) place
) minted
WHERE message.campaign_id = %(campaign)s AND message.status = 'pending'
    AND NOT EXISTS (SELECT FROM campaigns_coupon old WHERE old.enrolment_id = message.enrolment_id)
