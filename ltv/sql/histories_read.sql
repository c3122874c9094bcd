-- Each customer with low <= id < high and the purchase summary, in order of id, as fixed-width numbers for numpy; all 0
-- for who never bought. Parameters: low, high. Days are counted from 2000-01-01; money in thousandths of base currency.
SELECT c.id::int8 AS customer_id, coalesce(c.channel_id, 0)::int8 AS channel_id,
    coalesce(s.days, 0)::int4 AS days, coalesce(s.orders, 0)::int4 AS orders,
    coalesce(s.first_day - date '2000-01-01', 0)::int4 AS first_day,
    coalesce(s.last_day - date '2000-01-01', 0)::int4 AS last_day,
    coalesce(s.first_revenue, 0) AS first_revenue, coalesce(s.revenue, 0) AS revenue, coalesce(s.margin, 0) AS margin
FROM customers_customer AS c
LEFT JOIN ltv_purchasesummary AS s ON s.customer_id = c.id AND s.customer_id >= %(low)s AND s.customer_id < %(high)s
WHERE c.id >= %(low)s AND c.id < %(high)s
ORDER BY c.id
