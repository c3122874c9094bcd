-- One customer's orders and net revenue in base currency by month, months without any included, oldest first.
-- Parameters: customer; first, last: first days of the first and the last month.
SELECT m::date AS month, count(p.id)::int AS orders, coalesce(sum(p.base_amount - p.base_refunded), 0) AS revenue
FROM generate_series(%(first)s::timestamp, %(last)s::timestamp, interval '1 month') m
LEFT JOIN customers_purchase p
    ON p.customer_id = %(customer)s AND p.purchased_on >= m AND p.purchased_on < m + interval '1 month'
GROUP BY m
ORDER BY m
