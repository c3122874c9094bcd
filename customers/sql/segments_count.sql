-- Stamps the evaluated segments and counts them. Parameters: segments (ids), at (when). Reads segment_change.
-- Returns per segment: entered and left (this time). member_count is counted from the open stays, never added up.
UPDATE customers_segment AS segment
SET evaluated_at = %(at)s, member_count = coalesce(members.n, 0)
FROM unnest(%(segments)s::bigint[]) AS evaluated (id)
LEFT JOIN (
    SELECT segment_id, count(*) AS n
    FROM customers_segmentmembership
    WHERE left_at IS NULL AND segment_id = ANY(%(segments)s::bigint[])
    GROUP BY segment_id
) AS members ON members.segment_id = evaluated.id
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
