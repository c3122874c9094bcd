-- The point of no return, decided in one statement: the claim is still ours, the campaign runs, the customer agrees,
-- the address is theirs and not blocked. One row, or none.
-- Parameters: message; token (of the claim); until (end of the lease).
UPDATE campaigns_message message
SET status = 'sending', leased_until = %(until)s
FROM campaigns_campaign campaign, customers_customer customer
WHERE message.id = %(message)s AND message.status = 'claimed' AND message.lease_token = %(token)s
    AND campaign.id = message.campaign_id AND campaign.status = 'running'
    AND customer.id = message.customer_id AND customer.email_normalised = message.address
    AND EXISTS (
        SELECT FROM customers_consent consent
        WHERE consent.customer_id = message.customer_id AND consent.purpose = campaign.purpose
            AND consent.superseded_at IS NULL AND consent.status = 'granted'
    )
    AND NOT EXISTS (
        SELECT FROM campaigns_suppression block
        WHERE block.address_hash = message.address_hash AND block.lifted_at IS NULL
            AND block.purpose IN ('', campaign.purpose)
    )
