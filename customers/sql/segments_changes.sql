-- What changes in the membership of the given segments: one pass over customers, evaluating every rule.
-- Parameters: segments (ids), today (business day), zone (the shop's time zone), those of the rules.
-- Fragments: joins (sources of the rules), matches (an array: each rule's segment id where it holds, else NULL).
-- Meaning: one row per customer who enters (membership_id is NULL) or leaves (membership_id is the open stay).
CREATE TEMPORARY TABLE segment_change AS
SELECT
    coalesce(now.segment_id, stay.segment_id) AS segment_id,
    coalesce(now.customer_id, stay.customer_id) AS customer_id,
    stay.id AS membership_id
FROM (
    SELECT found.segment_id, c.id AS customer_id
    FROM customers_customer c
    {joins}
    CROSS JOIN LATERAL unnest(array_remove({matches}, NULL)) AS found (segment_id)
) AS now
FULL JOIN (
    SELECT id, segment_id, customer_id
    FROM customers_segmentmembership
    WHERE left_at IS NULL AND segment_id = ANY(%(segments)s::bigint[])
) AS stay ON stay.segment_id = now.segment_id AND stay.customer_id = now.customer_id
WHERE now.segment_id IS NULL OR stay.id IS NULL
