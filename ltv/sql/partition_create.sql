-- The table of a run, or of a range of its customers, beside the ones readers use. Autovacuum has nothing to do in it: it is
-- written once, frozen, and counted when its indices are made.
CREATE TABLE {partition} (LIKE ltv_customerltv INCLUDING DEFAULTS INCLUDING CONSTRAINTS) WITH (autovacuum_enabled = false)
