-- The run's own table, beside the ones readers use.
CREATE TABLE {partition} (LIKE ltv_customerltv INCLUDING DEFAULTS INCLUDING CONSTRAINTS)
