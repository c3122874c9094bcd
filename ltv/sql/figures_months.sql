-- Revenue net of refunds (base currency) and purchases per business month before as_of, the last 24 months.
SELECT to_char(date_trunc('month', day), 'YYYY-MM') AS month, sum(revenue) AS revenue, sum(purchases)::int8 AS purchases
FROM ltv_dailyrevenue
WHERE day < %(as_of)s AND day >= date_trunc('month', %(as_of)s::date) - interval '23 months' AND purchases > 0
GROUP BY 1 ORDER BY 1
