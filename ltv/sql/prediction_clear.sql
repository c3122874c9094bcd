-- Empty the staging of predictions.
TRUNCATE ltv_prediction
