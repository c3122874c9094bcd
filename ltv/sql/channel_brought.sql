-- How many customers each channel brought between one instant and the next. Parameter: begins (instants, rising).
-- place: from 1, of the instant it begins with; the last one never ends. Nobody from before the first is counted.
SELECT channel_id, width_bucket(acquired_at, %(begins)s::timestamptz[]) AS place, count(*) AS customers
FROM customers_customer
WHERE channel_id IS NOT NULL AND acquired_at >= (%(begins)s::timestamptz[])[1]
GROUP BY 1, 2
