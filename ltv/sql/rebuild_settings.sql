-- For the rest of the transaction: walk the covering index in its order instead of hashing every day of every customer,
-- never join a range by nested loops, and let go of the part's row if the worker freezes between two statements.
SELECT set_config('enable_hashagg', 'off', true), set_config('enable_nestloop', 'off', true),
    set_config('idle_in_transaction_session_timeout', '60s', true)
