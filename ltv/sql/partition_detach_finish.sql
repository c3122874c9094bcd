-- Take an old run out of ltv_customerltv when a reader or a crash broke off the first attempt.
ALTER TABLE ltv_customerltv DETACH PARTITION {partition} FINALIZE
