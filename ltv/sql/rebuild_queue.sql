-- The marks in the queue that this statement sees, as ranges of their ids (the text of an int8multirange), and how many.
-- Ids are not in the order of commits: those of transactions still at work are gaps in the ranges.
SELECT coalesce(range_agg(int8range(low, high, '[]')), '{{}}'::int8multirange)::text AS queue,
    coalesce(sum(marks), 0)::bigint AS marked
FROM (
    SELECT min(id) AS low, max(id) AS high, count(*) AS marks
    FROM (SELECT id, id - row_number() OVER (ORDER BY id) AS island FROM customers_purchasechange) AS queue
    GROUP BY island
) AS islands
