-- One ledger row for every enrolment that has none: waiting, held out, or not to be sent and why.
-- Parameters: campaign; first_variant (the text for who speaks no language the campaign has); domain (of Message-IDs);
--   at (due at once); purpose, hash_inner, hash_outer (see why_not).
-- Returns the number of new rows by status.
WITH added AS (
    INSERT INTO campaigns_message (
        campaign_id, enrolment_id, customer_id, variant_id, address, address_hash, status, reason,
        message_id, due_at, attempts, smtp_reply
    )
    SELECT
        enrolment.campaign_id,
        enrolment.id,
        enrolment.customer_id,
        coalesce(own.id, %(first_variant)s),
        coalesce(c.email_normalised, ''),
        coalesce({address_hash}, ''),
        CASE
            WHEN hindrance.reason <> '' THEN 'suppressed'
            WHEN enrolment.arm = 'control' THEN 'held_out'
            ELSE 'pending'
        END,
        hindrance.reason,
        -- fixed here, so that a mail sent again by staff carries the same one
        '<c' || enrolment.campaign_id || '.r' || enrolment.id || '.'
            || left(replace(gen_random_uuid()::text, '-', ''), 12) || '@' || %(domain)s || '>',
        %(at)s,
        0,
        ''
    FROM campaigns_enrolment enrolment
    JOIN customers_customer c ON c.id = enrolment.customer_id
    LEFT JOIN campaigns_variant own ON own.campaign_id = enrolment.campaign_id AND own.language = c.language
    CROSS JOIN LATERAL (SELECT {why_not} AS reason) hindrance
    WHERE enrolment.campaign_id = %(campaign)s
        AND NOT EXISTS (SELECT FROM campaigns_message old WHERE old.enrolment_id = enrolment.id)
    RETURNING status
)
SELECT status, count(*) AS messages FROM added GROUP BY status
