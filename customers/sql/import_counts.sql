-- Count the verdicts of the rows just checked, and the customers who would be new.
SELECT
    count(*) AS rows,
    count(*) FILTER (WHERE f.reason IS NULL AND o.verdict = 'create') AS to_create,
    count(*) FILTER (WHERE f.reason IS NULL AND o.verdict = 'update') AS to_update,
    count(*) FILTER (WHERE f.reason IS NULL AND o.verdict = 'same') AS same,
    count(*) FILTER (WHERE f.reason IS NOT NULL OR o.verdict = 'error') AS errors,
    count(DISTINCT o.person) FILTER (WHERE o.verdict = 'create' AND o.buyer_id IS NULL) AS new_customers
FROM import_facts f
LEFT JOIN import_orders o ON o.head = f.head
