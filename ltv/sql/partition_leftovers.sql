-- Tables of runs that were killed before they were attached.
SELECT c.relname AS name FROM pg_class AS c
WHERE c.relname ~ '^ltv_customerltv_r[0-9]+$' AND c.relkind = 'r' AND NOT c.relispartition
    AND c.relnamespace = 'public'::regnamespace
