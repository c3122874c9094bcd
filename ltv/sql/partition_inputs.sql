-- Fresh statistics of what partition_fill joins: after a first import or a mass change the planner would otherwise
-- still think the tables empty and look a million customers up one by one.
ANALYZE customers_customer (id, channel_id, acquired_at), customers_marketingspend, ltv_purchasesummary, ltv_prediction
