-- One customer against every condition of a rule. Parameters: customer_id, today, zone, those of the conditions.
-- Fragments: joins, columns (for condition n: pass_n boolean, value_n what is known).
SELECT {columns}
FROM customers_customer AS c
{joins}
WHERE c.id = %(customer_id)s
