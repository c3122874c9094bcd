-- Revenue and margin of each customer with low <= id < high in an earlier run, in order of id. Thousandths of its currency.
-- Parameters: low, high.
SELECT customer_id, (revenue * 1000)::int8 AS revenue, (margin * 1000)::int8 AS margin
FROM {partition} WHERE customer_id >= %(low)s AND customer_id < %(high)s ORDER BY customer_id
