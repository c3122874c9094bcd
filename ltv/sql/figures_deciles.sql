-- Buyers and expected margin (base currency, 12 months) per tenth of the buyers, best first.
SELECT clv_decile AS decile, count(*) AS customers, sum(clv) AS clv, sum(revenue) AS revenue
FROM {partition} WHERE clv_decile IS NOT NULL GROUP BY clv_decile ORDER BY clv_decile
