-- The table of a run, or of a range of its customers, beside the ones readers use.
CREATE TABLE {partition} (LIKE ltv_customerltv INCLUDING DEFAULTS INCLUDING CONSTRAINTS)
