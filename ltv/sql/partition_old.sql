-- Attached tables which nobody needs: of runs older than the newest {keep} published ones, and of runs that were
-- abandoned. Never the current one. First the one whose detaching was broken off: until it is finished, none can begin.
SELECT 'ltv_customerltv_r' || r.id AS name, r.id AS run_id, i.inhdetachpending AS begun
FROM ltv_ltvrun AS r
JOIN pg_class AS c ON c.relname = 'ltv_customerltv_r' || r.id AND c.relispartition
JOIN pg_inherits AS i ON i.inhrelid = c.oid
WHERE (r.state = 'abandoned' OR r.id < (SELECT min(id) FROM (
    SELECT id FROM ltv_ltvrun WHERE state = 'published' ORDER BY id DESC LIMIT {keep}) AS newest))
    AND r.id <> (SELECT run_id FROM ltv_currentrun)
ORDER BY i.inhdetachpending DESC, r.id
