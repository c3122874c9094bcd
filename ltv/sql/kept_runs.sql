-- Published runs whose figures are kept whole, in a table of their own: the last one of each date, the newest first.
SELECT DISTINCT ON (r.as_of) r.id AS run_id, r.as_of, r.currency, c.relname AS name
FROM ltv_ltvrun AS r
JOIN pg_class AS c ON c.relname = 'ltv_customerltv_r' || r.id AND c.relkind IN ('r', 'p')
    AND c.relnamespace = 'public'::regnamespace
WHERE r.state = 'published'
ORDER BY r.as_of DESC, r.id DESC
