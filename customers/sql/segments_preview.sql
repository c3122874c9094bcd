-- How many customers a rule holds for, and some of them. Parameters: some (how many), today, zone, those of the rule.
-- Fragments: joins, rule (never NULL), sample (nothing, or TABLESAMPLE: some of the table's pages).
SELECT count(*) AS members, (array_agg(c.id))[1:%(some)s] AS some
FROM customers_customer AS c {sample}
{joins}
WHERE {rule}
