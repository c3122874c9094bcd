-- Some customers a rule holds for. Parameters: some (how many), today, zone, those of the rule.
-- Fragments: joins, rule (never NULL).
SELECT c.id
FROM customers_customer AS c
{joins}
WHERE {rule}
LIMIT %(some)s
