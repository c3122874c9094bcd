-- The indices of the partitioned table, made here first so that ATTACH has nothing to build, and what proves to it that
-- there is nothing to scan. A quarter of the usual sample tells the planner as much of numbers that are spread this evenly,
-- and counting four times as much would take as long as the indices twice.
ALTER TABLE {partition} ADD PRIMARY KEY (run_id, customer_id),
    ADD CONSTRAINT {check} CHECK (run_id = {run_id}),
    ADD CONSTRAINT {bounds} CHECK (customer_id >= {low} AND customer_id < {high});
CREATE INDEX {index} ON {partition} (clv DESC, customer_id DESC);
SET LOCAL default_statistics_target = 25;
ANALYZE {partition}
