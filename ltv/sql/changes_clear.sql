-- The run that is being published knows all changes; the next ones are compared with it.
DELETE FROM ltv_summarychange
