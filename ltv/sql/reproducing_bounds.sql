-- The lowest and the highest customer id of a kept run; NULL where it valued nobody.
SELECT min(customer_id) AS low, max(customer_id) AS high FROM {partition} WHERE run_id = {run_id}
