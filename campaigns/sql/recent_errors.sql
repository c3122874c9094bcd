-- How the last mails of a campaign ended, since it was last resumed. leased_until is when a try began, plus the lease.
-- Parameters: campaign; since (tries whose lease ended later); last (how many).
SELECT
    count(*) AS tried,
    count(*) FILTER (WHERE status = 'failed') AS failed,
    count(*) FILTER (WHERE status = 'unknown') AS unknown
FROM (
    SELECT status
    FROM campaigns_message
    WHERE campaign_id = %(campaign)s AND status IN ('sent', 'failed', 'unknown') AND leased_until > %(since)s
    ORDER BY leased_until DESC
    LIMIT %(last)s
) latest
