-- Keep the checked rows of a batch: what the apply step needs of a good row, the texts of a bad one.
-- Parameters: batch.
INSERT INTO customers_importrow (batch_id, line, cells, verdict, reason)
SELECT
    %(batch)s, f.line,
    CASE WHEN f.reason IS NULL THEN jsonb_strip_nulls(to_jsonb(f) - 'reason')
        ELSE to_jsonb(r) - 'problem' - 'email_norm' END,
    CASE WHEN f.reason IS NULL THEN o.verdict ELSE 'error' END,
    left(coalesce(f.reason, o.reason), 300)
FROM import_facts f
JOIN import_raw r ON r.line = f.line
LEFT JOIN import_orders o ON o.head = f.head
