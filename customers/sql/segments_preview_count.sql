-- How many customers a rule holds for. Parameters: today, zone, those of the rule.
-- Fragments: joins, rule (never NULL), sample (empty, or TABLESAMPLE of the pages of the table).
SELECT count(*) AS members
FROM customers_customer AS c {sample}
{joins}
WHERE {rule}
