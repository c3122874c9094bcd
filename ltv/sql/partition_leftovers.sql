-- Tables of runs that were killed before they were attached; those of published runs are history.
SELECT c.relname AS name FROM pg_class AS c
WHERE c.relname ~ '^ltv_customerltv_r[0-9]+$' AND c.relkind = 'r' AND NOT c.relispartition
    AND c.relnamespace = 'public'::regnamespace
    AND NOT EXISTS (
        SELECT FROM ltv_ltvrun AS r WHERE r.state = 'published' AND c.relname = 'ltv_customerltv_r' || r.id)
