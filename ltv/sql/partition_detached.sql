-- Detached tables which nobody needs: of abandoned runs, and of published ones beyond history. Kept are the last run of
-- each date within {days} days of the newest date, and the last of each month (as_of is the day after the last counted).
WITH published AS (
    SELECT id, as_of > max(as_of) OVER () - {days} AS recent,
        row_number() OVER (PARTITION BY as_of ORDER BY id DESC) AS of_date,
        row_number() OVER (PARTITION BY date_trunc('month', as_of - 1) ORDER BY as_of DESC, id DESC) AS of_month
    FROM ltv_ltvrun WHERE state = 'published'
)
SELECT 'ltv_customerltv_r' || r.id AS name
FROM ltv_ltvrun AS r
JOIN pg_class AS c ON c.relname = 'ltv_customerltv_r' || r.id AND c.relkind IN ('r', 'p') AND NOT c.relispartition
LEFT JOIN published AS p ON p.id = r.id
WHERE r.state <> 'building' AND (p.id IS NULL OR (p.of_month > 1 AND NOT (p.recent AND p.of_date = 1)))
ORDER BY r.id
