-- Every figure of one customer in a kept run's own table. Parameter: customer_id. Units: thousandths of the run's currency.
SELECT * FROM {partition} WHERE run_id = {run_id} AND customer_id = %(customer_id)s
