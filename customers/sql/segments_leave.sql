-- Closes the stays of those who left. Parameters: at (when). Reads segment_change; a stay never ends before it began.
UPDATE customers_segmentmembership AS stay
SET left_at = greatest(%(at)s, stay.entered_at)
FROM segment_change AS change
WHERE NOT change.enters AND stay.left_at IS NULL
    AND stay.segment_id = change.segment_id AND stay.customer_id = change.customer_id
