-- One row per customer who ever bought, as fixed-width numbers for numpy. Parameter: last_day (date, the last whole day).
-- x: repeat purchase days; t_x, T: days from the first purchase to the last one and to last_day;
-- m: mean revenue of a repeat purchase day; margin_rate: share of revenue that is margin, between -1 and 1.
SELECT customer_id::int8 AS customer_id,
    (days - 1)::float8 AS x,
    (last_day - first_day)::float8 AS t_x,
    (%(last_day)s::date - first_day)::float8 AS t_observed,
    (CASE WHEN days > 1 THEN (revenue - first_revenue) / (days - 1) ELSE 0 END)::float8 AS m,
    (CASE WHEN revenue > 0 THEN greatest(-1, least(1, margin / revenue)) ELSE %(margin_rate)s::numeric END)::float8 AS margin_rate
FROM ltv_purchasesummary
ORDER BY customer_id
