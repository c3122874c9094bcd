-- Who of the customers with low <= id < high holds which of up to 60 segments, and which stays are open among them, all of one
-- moment: one pass, evaluating every rule.
-- Parameters: low, high, segments (ids), today (business day), zone (the shop's time zone), those of the rules.
-- Fragments: joins (sources of the rules), mask (bigint: bit n is set where the rule of segment n holds, from 0).
-- One row of arrays: customer_id and holds with an entry per customer; segment_id and member_id with one per open stay.
SELECT held.customer_id, held.holds, stays.segment_id, stays.member_id
FROM (
    SELECT array_agg(one.customer_id) AS customer_id, array_agg(one.holds) AS holds
    FROM (
        SELECT c.id::int8 AS customer_id, {mask} AS holds
        FROM (SELECT * FROM customers_customer WHERE id >= %(low)s AND id < %(high)s) AS c
        {joins}
    ) AS one
) AS held
CROSS JOIN (
    SELECT array_agg(stay.segment_id) AS segment_id, array_agg(stay.customer_id) AS member_id
    FROM customers_segmentmembership AS stay
    WHERE stay.segment_id = ANY(%(segments)s::bigint[]) AND stay.left_at IS NULL
        AND stay.customer_id >= %(low)s AND stay.customer_id < %(high)s
) AS stays
