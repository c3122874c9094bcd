-- What the gates compare before a run is published. Money in base currency.
SELECT count(*) AS customers, count(expected_value) AS buyers, coalesce(sum(revenue), 0) AS revenue,
    coalesce(sum(expected_value), 0) AS expected_value, sum(clv) AS clv,
    (SELECT count(*) FROM ltv_purchasesummary) AS summaries,
    (SELECT coalesce(sum(revenue), 0) FROM ltv_purchasesummary) AS summary_revenue,
    count(*) FILTER (WHERE orders > 0) AS with_orders
FROM {partition}
