-- What the gates compare before a run is published: its rows, the summaries, and the days of the ledger before as_of.
-- Parameter: as_of. Money in base currency.
SELECT count(*) AS customers, count(expected_value) AS buyers,
    round(coalesce(sum(revenue), 0) / 1000, 3) AS revenue,
    round(coalesce(sum(expected_value), 0) / 1000, 3) AS expected_value, round(coalesce(sum(clv), 0) / 1000, 3) AS clv,
    (SELECT count(*) FROM ltv_purchasesummary) AS summaries,
    (SELECT round(coalesce(sum(revenue), 0) / 1000, 3) FROM ltv_purchasesummary) AS summary_revenue,
    (SELECT coalesce(sum(revenue), 0) FROM ltv_dailyrevenue WHERE day < %(as_of)s) AS ledger_revenue
FROM {partition}
