-- Tables of runs, or of ranges of their customers, that nothing became of: not attached, and of no published run, whose
-- detached ones are history. Parameter: run_id (only that run's), or NULL.
SELECT c.relname AS name FROM pg_class AS c
WHERE c.relname ~ ('^ltv_customerltv_r' || coalesce(%(run_id)s::text, '[0-9]+') || '(_p[0-9]+)?$')
    AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace
    AND NOT EXISTS (
        SELECT FROM ltv_ltvrun AS r WHERE r.state = 'published' AND c.relname = 'ltv_customerltv_r' || r.id)
