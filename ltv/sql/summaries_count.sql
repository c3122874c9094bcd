-- Tell the planner how many changed customers there are: it took the table for as empty as the last night left it.
ANALYZE ltv_summarychange (customer_id)
