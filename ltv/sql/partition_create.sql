-- The table of a run, or of a range of its customers, beside the ones readers use. Autovacuum has nothing to do in it: it is
-- written once, frozen, and counted when its indices are made. Its CHECKs prove to ATTACH that there is nothing to scan.
CREATE TABLE {partition} (
    LIKE ltv_customerltv INCLUDING DEFAULTS INCLUDING CONSTRAINTS,
    CONSTRAINT {check} CHECK (run_id = {run_id}),
    CONSTRAINT {bounds} CHECK (customer_id >= {low} AND customer_id < {high})
) WITH (autovacuum_enabled = false)
