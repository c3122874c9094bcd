-- What became of a run's own table: built, attached, or no row. Parameter: table (its name).
SELECT CASE WHEN c.relispartition THEN 'attached' ELSE 'built' END AS state
FROM pg_class AS c
WHERE c.relname = %(table)s AND c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
