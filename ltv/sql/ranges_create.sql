-- The run's table as the whole of its ranges of customers, empty, with the indices that theirs become part of.
CREATE TABLE {partition} (LIKE ltv_customerltv INCLUDING DEFAULTS INCLUDING CONSTRAINTS) PARTITION BY RANGE (customer_id);
ALTER TABLE {partition} ADD PRIMARY KEY (customer_id, run_id) INCLUDE (clv);
CREATE INDEX {index} ON {partition} (clv DESC, customer_id DESC)
