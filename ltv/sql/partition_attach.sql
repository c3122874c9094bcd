-- Make the run's table part of ltv_customerltv; its CHECK proves the bound, so nothing is scanned.
ALTER TABLE ltv_customerltv ATTACH PARTITION {partition} FOR VALUES IN ({run_id})
