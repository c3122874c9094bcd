-- Fragment: why customer "c" may not be mailed; '' for nothing against it. The order is the waterfall's.
-- Parameters: purpose (consent needed); hash_inner, hash_outer (HMAC key blocks of suppressions).
CASE
    WHEN c.email_normalised IS NULL THEN 'no_address'
    WHEN NOT EXISTS (
        SELECT FROM customers_consent consent
        WHERE consent.customer_id = c.id AND consent.purpose = %(purpose)s
            AND consent.superseded_at IS NULL AND consent.status = 'granted'
    ) THEN CASE
        WHEN EXISTS (
            SELECT FROM customers_consent consent
            WHERE consent.customer_id = c.id AND consent.purpose = %(purpose)s
                AND consent.superseded_at IS NULL AND consent.status = 'withdrawn'
        ) THEN 'withdrawn_before'
        ELSE 'no_consent'
    END
    WHEN EXISTS (
        SELECT FROM campaigns_suppression block
        WHERE block.address_hash = {address_hash} AND block.lifted_at IS NULL AND block.purpose IN ('', %(purpose)s)
    ) THEN 'suppressed_address'
    ELSE ''
END
