-- How many messages of a campaign stand where.
-- Parameters: campaign.
SELECT status, reason, count(*) AS messages
FROM campaigns_message
WHERE campaign_id = %(campaign)s
GROUP BY status, reason
ORDER BY status, reason
