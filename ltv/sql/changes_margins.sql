-- Revenue and margin of each customer in an earlier run, in order of id. Thousandths of its currency.
SELECT customer_id, (revenue * 1000)::int8 AS revenue, (margin * 1000)::int8 AS margin
FROM {partition} ORDER BY customer_id
