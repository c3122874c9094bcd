-- What the average buyer has brought so far, known when a run is published. Thousandths of base currency; NULL without
-- buyers.
CROSS JOIN (SELECT 1000 * {revenue}::numeric / nullif({buyers}::numeric, 0) AS revenue) AS {alias}
