-- Revenue and margin of each customer with low <= id < high in an earlier run, in any order. Thousandths of its currency.
-- Parameters: low, high.
SELECT customer_id, revenue, margin
FROM {partition} WHERE customer_id >= %(low)s AND customer_id < %(high)s
