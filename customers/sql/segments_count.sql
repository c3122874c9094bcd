-- Stamps the evaluated segments and says how many hold each. Reads segment_change.
-- Parameters: segments (ids), members (customers for whom each one's rule holds: with this refresh its open stays), at (when).
-- Returns per segment: entered and left (this time).
UPDATE customers_segment AS segment
SET evaluated_at = %(at)s, member_count = evaluated.members
FROM unnest(%(segments)s::bigint[], %(members)s::bigint[]) AS evaluated (id, members)
LEFT JOIN (
    SELECT
        segment_id,
        count(*) FILTER (WHERE enters) AS entered,
        count(*) FILTER (WHERE NOT enters) AS gone
    FROM segment_change
    GROUP BY segment_id
) AS changes ON changes.segment_id = evaluated.id
WHERE segment.id = evaluated.id
RETURNING segment.id, coalesce(changes.entered, 0) AS entered, coalesce(changes.gone, 0) AS gone
