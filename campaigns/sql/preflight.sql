-- Who of a segment's present members would be mailed, and why the others would not.
-- Parameters: segment; salt, control_share (see enrol); purpose, hash_inner, hash_outer (see why_not).
SELECT
    count(*) AS in_segment,
    count(*) FILTER (WHERE reason = 'no_address') AS no_address,
    count(*) FILTER (WHERE reason IN ('no_consent', 'withdrawn_before')) AS no_consent,
    count(*) FILTER (WHERE reason = 'suppressed_address') AS suppressed,
    count(*) FILTER (WHERE reason = '' AND control) AS held_out,
    count(*) FILTER (WHERE reason = '' AND NOT control) AS will_be_sent
FROM (
    SELECT
        {why_not} AS reason,
        ('x' || left(encode(sha256(convert_to(%(salt)s || ':' || c.id, 'UTF8')), 'hex'), 13))::bit(52)::bigint
            < %(control_share)s * 4503599627370496 AS control
    FROM customers_segmentmembership stay
    JOIN customers_customer c ON c.id = stay.customer_id
    WHERE stay.segment_id = %(segment)s AND stay.left_at IS NULL
) member
