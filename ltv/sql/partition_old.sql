-- Attached tables of runs older than the newest {keep} published ones, oldest first. Never the current one.
SELECT 'ltv_customerltv_r' || r.id AS name, r.id AS run_id
FROM ltv_ltvrun AS r
JOIN pg_class AS c ON c.relname = 'ltv_customerltv_r' || r.id AND c.relispartition
WHERE r.id < (SELECT min(id) FROM (
    SELECT id FROM ltv_ltvrun WHERE state = 'published' ORDER BY id DESC LIMIT {keep}) AS newest)
    AND r.id <> (SELECT run_id FROM ltv_currentrun)
ORDER BY r.id
