-- Opens a stay for everyone who entered. Parameters: at (when). Reads segment_change; in the order of the index.
INSERT INTO customers_segmentmembership (segment_id, customer_id, entered_at, rule_version)
SELECT change.segment_id, change.customer_id, %(at)s, segment.rule_version
FROM segment_change AS change
JOIN customers_segment AS segment ON segment.id = change.segment_id
WHERE change.enters
ORDER BY change.segment_id, change.customer_id
