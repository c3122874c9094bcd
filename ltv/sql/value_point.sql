-- One customer's expected margin in a kept run, and in the run before it, for a line over the nights.
-- Parameter: customer_id. Units: thousandths of the run's currency; p_no_purchase a share.
SELECT run_id, clv, clv_before, p_no_purchase FROM {partition} WHERE run_id = {run_id} AND customer_id = %(customer_id)s
