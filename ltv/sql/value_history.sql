-- One customer's figures in every kept run, the oldest first. Parameters: those of value_point, of which {points} are made.
-- Units: the run's currency; p_no_purchase a share.
SELECT run_id, round(clv / 1000.0, 3) AS clv, round(clv_before / 1000.0, 3) AS clv_before, p_no_purchase FROM ({points}) AS nights ORDER BY run_id
