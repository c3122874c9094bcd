-- Who of the customers with low <= id < high holds which of up to 60 segments, and which stays are open among them, all of one
-- moment: one pass, evaluating every rule.
-- Parameters: low, high, segments (ids), today (business day), zone (the shop's time zone), those of the rules.
-- Fragments: joins (sources of the rules), mask (bigint: bit n is set where the rule of segment n holds, from 0).
-- A row per customer, with segment_id 0 and holds, and a row per open stay, with holds 0.
SELECT 0::int8 AS segment_id, c.id::int8 AS customer_id, {mask} AS holds
FROM (SELECT * FROM customers_customer WHERE id >= %(low)s AND id < %(high)s) AS c
{joins}
UNION ALL
SELECT stay.segment_id, stay.customer_id, 0::int8
FROM customers_segmentmembership AS stay
WHERE stay.segment_id = ANY(%(segments)s::bigint[]) AND stay.left_at IS NULL
    AND stay.customer_id >= %(low)s AND stay.customer_id < %(high)s
