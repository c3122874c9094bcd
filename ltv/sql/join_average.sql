-- What the average buyer has brought so far, known when a run is published. Base currency; NULL without buyers.
CROSS JOIN (SELECT {revenue}::numeric / nullif({buyers}::numeric, 0) AS revenue) AS {alias}
