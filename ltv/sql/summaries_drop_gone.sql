-- Delete the summaries of customers the full pass (ltv_all) found no purchase day of.
DELETE FROM ltv_purchasesummary AS summary
WHERE NOT EXISTS (SELECT FROM ltv_all WHERE ltv_all.customer_id = summary.customer_id)
