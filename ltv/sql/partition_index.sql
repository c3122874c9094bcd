-- The indices of the partitioned table, made here first so that ATTACH has nothing to build or to scan.
ALTER TABLE {partition} ADD PRIMARY KEY (run_id, customer_id),
    ADD CONSTRAINT {check} CHECK (run_id = {run_id});
CREATE INDEX {index} ON {partition} (clv DESC, customer_id DESC);
ANALYZE {partition}
