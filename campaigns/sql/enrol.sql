-- Takes the segment's present members into a campaign, nobody twice: an enrolment with its arm, a ledger row (waiting,
-- held out, or not to be sent and why) and, for those to be mailed, a reserved coupon. One statement, because a later
-- one would have to look for what is missing in tables that it fills itself.
--
-- The arm is a hash of the campaign's salt and the customer: the same for ever, and the share exact in expectation.
-- A code is 16 letters of Crockford's base 32 (80 bits) out of SHA-256 over 244 bits of PostgreSQL's strong random
-- source; 256 is a multiple of 32, so every letter is equally likely.
--
-- Parameters: campaign, segment, offer (ids; offer NULL: no coupons); salt (text); control_share (0 to 0.5);
--   at (time of enrolment; mails are due at once); since (only who entered at or after; NULL: everybody in it);
--   expires_at (of the coupons); first_variant (the text for who speaks no language the campaign has);
--   domain (of Message-IDs); purpose, hash_inner, hash_outer (see why_not).
-- Returns the number of new ledger rows by status.
WITH enrolled AS (
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
    ON CONFLICT (campaign_id, customer_id) WHERE merged_from IS NULL DO NOTHING
    RETURNING id, customer_id, arm
), added AS (
    INSERT INTO campaigns_message (
        campaign_id, enrolment_id, customer_id, variant_id, address, address_hash, status, reason,
        message_id, due_at, attempts, smtp_reply
    )
    SELECT
        %(campaign)s,
        enrolled.id,
        c.id,
        coalesce(own.id, %(first_variant)s),
        coalesce(c.email_normalised, ''),
        coalesce({address_hash}, ''),
        CASE
            WHEN hindrance.reason <> '' THEN 'suppressed'
            WHEN enrolled.arm = 'control' THEN 'held_out'
            ELSE 'pending'
        END,
        hindrance.reason,
        -- fixed here, so that a mail sent again by staff carries the same one
        '<c' || %(campaign)s || '.r' || enrolled.id || '.'
            || left(replace(gen_random_uuid()::text, '-', ''), 12) || '@' || %(domain)s || '>',
        %(at)s,
        0,
        ''
    FROM enrolled
    JOIN customers_customer c ON c.id = enrolled.customer_id
    LEFT JOIN campaigns_variant own ON own.campaign_id = %(campaign)s AND own.language = c.language
    -- OFFSET 0 keeps the planner from asking why twice a row
    CROSS JOIN LATERAL (SELECT {why_not} AS reason OFFSET 0) hindrance
    RETURNING id, enrolment_id, customer_id, status
), minted AS (
    INSERT INTO campaigns_coupon (offer_id, enrolment_id, customer_id, code, status, expires_at, order_ref)
    SELECT
        %(offer)s::bigint,
        added.enrolment_id,
        added.customer_id,
        (
            SELECT string_agg(
                substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', (get_byte(drawn.bytes, place) & 31) + 1, 1),
                '' ORDER BY place
            )
            FROM (
                -- the message's id makes this a draw of its own for every row
                SELECT sha256(
                    uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || int8send(added.id)
                ) AS bytes
                OFFSET 0
            ) drawn, generate_series(0, 15) place
        ),
        'reserved',
        %(expires_at)s::timestamptz,
        ''
    FROM added
    WHERE added.status = 'pending' AND %(offer)s::bigint IS NOT NULL
)
SELECT status, count(*) AS messages FROM added GROUP BY status
