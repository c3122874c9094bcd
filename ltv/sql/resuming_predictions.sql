-- Are the predictions of a run still in the staging? Where nobody has ever bought there are none. Parameter: run_id.
SELECT EXISTS (SELECT FROM ltv_prediction WHERE run_id = %(run_id)s)
    OR NOT EXISTS (SELECT FROM ltv_purchasesummary) AS stand
