-- What changes in the membership of up to 60 segments among customers with low <= id < high: one pass, evaluating every rule.
-- Parameters: low, high, segments (ids), today (business day), zone (the shop's time zone), those of the rules.
-- Fragments: joins (sources of the rules), mask (bigint: bit n is set where the rule of segment n holds, from 0).
-- Meaning: one row per customer and segment that differ from the open stays; enters, or else leaves. Whoever is not a
-- customer any more holds nothing.
SELECT segment.id AS segment_id, differing.customer_id::int8 AS customer_id,
    differing.holds >> segment.bit & 1 = 1 AS enters
FROM (
    SELECT coalesce(c.id, member.customer_id) AS customer_id, CASE WHEN c.id IS NULL THEN 0 ELSE {mask} END AS holds,
        coalesce(member.mask, 0) AS held
    FROM (SELECT * FROM customers_customer WHERE id >= %(low)s AND id < %(high)s) AS c
    {joins}
    FULL JOIN (
        SELECT stay.customer_id, bit_or(1::bigint << segment.bit) AS mask
        FROM customers_segmentmembership AS stay
        JOIN (SELECT id, (place - 1)::int AS bit FROM unnest(%(segments)s::bigint[]) WITH ORDINALITY AS s (id, place)) AS segment
            ON segment.id = stay.segment_id
        WHERE stay.left_at IS NULL AND stay.customer_id >= %(low)s AND stay.customer_id < %(high)s
        GROUP BY stay.customer_id
    ) AS member ON member.customer_id = c.id
    OFFSET 0 -- keeps the planner from evaluating the rules twice
) AS differing
JOIN (SELECT id, (place - 1)::int AS bit FROM unnest(%(segments)s::bigint[]) WITH ORDINALITY AS s (id, place)) AS segment
    ON (differing.holds # differing.held) >> segment.bit & 1 = 1
WHERE differing.holds <> differing.held
