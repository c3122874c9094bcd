-- Take an old run out of ltv_customerltv without making readers wait. Outside a transaction only.
ALTER TABLE ltv_customerltv DETACH PARTITION {partition} CONCURRENTLY
