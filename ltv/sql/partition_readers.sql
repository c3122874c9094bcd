-- What other sessions are busy with just now.
SELECT pid, query_start FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND state = 'active'
    AND backend_type = 'client backend'
