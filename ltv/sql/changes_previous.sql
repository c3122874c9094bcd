-- Expected margin of each customer in an earlier run, in order of id. Thousandths of its currency.
SELECT customer_id, (clv * 1000)::int8 AS clv FROM {partition} ORDER BY customer_id
