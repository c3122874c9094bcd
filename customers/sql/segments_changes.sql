-- What changes in the membership of up to 60 segments: one pass over customers, evaluating every rule.
-- Parameters: segments (ids), today (business day), zone (the shop's time zone), those of the rules.
-- Fragments: joins (sources of the rules), mask (bigint: bit n is set where the rule of segment n holds, from 0).
-- Meaning: one row per customer and segment that differ from the open stays; enters, or else leaves. Whoever is not a
-- customer any more holds nothing.
CREATE TEMPORARY TABLE segment_change AS
SELECT segment.id AS segment_id, differing.customer_id, differing.holds >> segment.bit & 1 = 1 AS enters
FROM (
    SELECT coalesce(c.id, member.customer_id) AS customer_id, CASE WHEN c.id IS NULL THEN 0 ELSE {mask} END AS holds,
        coalesce(member.mask, 0) AS held
    FROM customers_customer c
    {joins}
    FULL JOIN (
        SELECT stay.customer_id, bit_or(1::bigint << segment.bit) AS mask
        FROM customers_segmentmembership AS stay
        JOIN (SELECT id, (place - 1)::int AS bit FROM unnest(%(segments)s::bigint[]) WITH ORDINALITY AS s (id, place)) AS segment
            ON segment.id = stay.segment_id
        WHERE stay.left_at IS NULL
        GROUP BY stay.customer_id
    ) AS member ON member.customer_id = c.id
    OFFSET 0 -- keeps the planner from evaluating the rules twice
) AS differing
JOIN (SELECT id, (place - 1)::int AS bit FROM unnest(%(segments)s::bigint[]) WITH ORDINALITY AS s (id, place)) AS segment
    ON (differing.holds # differing.held) >> segment.bit & 1 = 1
WHERE differing.holds <> differing.held
