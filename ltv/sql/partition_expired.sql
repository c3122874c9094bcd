-- Detached tables whose run need not be kept: neither the last of its date within {days} days of the newest date, nor
-- the last of its month (as_of is the day after the last one counted).
SELECT 'ltv_customerltv_r' || r.id AS name
FROM (
    SELECT id, as_of, max(as_of) OVER () AS newest,
        row_number() OVER (PARTITION BY as_of ORDER BY id DESC) AS of_date,
        row_number() OVER (PARTITION BY date_trunc('month', as_of - 1) ORDER BY as_of DESC, id DESC) AS of_month
    FROM ltv_ltvrun WHERE state = 'published'
) AS r
JOIN pg_class AS c ON c.relname = 'ltv_customerltv_r' || r.id AND c.relkind = 'r' AND NOT c.relispartition
WHERE of_month > 1 AND NOT (of_date = 1 AND as_of > newest - {days})
ORDER BY r.id
