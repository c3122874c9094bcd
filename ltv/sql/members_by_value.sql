-- A page of a segment's members by expected margin, the best first; without figures last. Both sides are read from their
-- indices alone.
-- Parameters: segment_id, skip, limit.
-- OFFSET 0 keeps the planner from walking the index on clv: it finds the members of a large segment of low value only at
-- its far end.
SELECT customer_id
FROM (
    SELECT stay.customer_id, figures.clv
    FROM customers_segmentmembership AS stay
    LEFT JOIN ltv_current AS figures ON figures.customer_id = stay.customer_id
    WHERE stay.segment_id = %(segment_id)s AND stay.left_at IS NULL
    OFFSET 0
) AS member
ORDER BY clv DESC NULLS LAST, customer_id DESC
LIMIT %(limit)s OFFSET %(skip)s
