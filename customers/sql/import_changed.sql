-- Rows of the chunk whose verdict is another now than when the file was checked: the world moved in between.
SELECT f.old_verdict, o.verdict, count(*) AS rows
FROM import_facts f
JOIN import_orders o ON o.head = f.head
WHERE f.old_verdict <> o.verdict
GROUP BY f.old_verdict, o.verdict
