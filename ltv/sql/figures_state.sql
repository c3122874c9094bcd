-- Active customers (bought in the churn window), and the expected margin of those likelier than not to stay away.
-- Parameter: churn_days.
SELECT count(*) FILTER (WHERE recency_days < %(churn_days)s) AS active,
    count(*) FILTER (WHERE p_no_purchase >= 0.5) AS at_risk,
    coalesce(sum(clv) FILTER (WHERE p_no_purchase >= 0.5), 0) AS margin_at_risk,
    coalesce(sum(expected_purchases), 0) AS expected_purchases
FROM {partition}
