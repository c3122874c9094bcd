-- Write the verdicts that changed since the check back to the batch's rows. Parameters: batch.
UPDATE customers_importrow r
SET verdict = o.verdict, reason = left(o.reason, 300)
FROM import_facts f
JOIN import_orders o ON o.head = f.head
WHERE f.old_verdict <> o.verdict AND r.batch_id = %(batch)s AND r.line = f.line
