-- One customer's figures in every kept run, the oldest first. Parameters: those of value_point, of which {points} are made.
SELECT run_id, clv, clv_before, p_no_purchase FROM ({points}) AS nights ORDER BY run_id
