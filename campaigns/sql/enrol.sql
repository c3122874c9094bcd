-- Takes the segment's present members into a campaign; nobody twice.
-- The arm is a hash of the campaign's salt and the customer: the same for ever, and the share exact in expectation.
-- Parameters: campaign, segment (ids); salt (text); control_share (0 to 0.5); at (time of enrolment);
--   since (only who entered at or after; NULL: everybody who is in it).
INSERT INTO campaigns_enrolment (campaign_id, customer_id, arm, enrolled_at)
SELECT
    %(campaign)s,
    stay.customer_id,
    CASE
        -- 13 hex digits are 52 bits: a number from 0 to 2^52 - 1
        WHEN ('x' || left(encode(sha256(convert_to(%(salt)s || ':' || stay.customer_id, 'UTF8')), 'hex'), 13))::bit(52)::bigint
            < %(control_share)s * 4503599627370496 THEN 'control'
        ELSE 'treated'
    END,
    %(at)s
FROM customers_segmentmembership stay
WHERE stay.segment_id = %(segment)s AND stay.left_at IS NULL
    AND (%(since)s::timestamptz IS NULL OR stay.entered_at >= %(since)s)
ON CONFLICT (campaign_id, customer_id) DO NOTHING
