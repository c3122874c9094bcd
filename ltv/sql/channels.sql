-- Per acquisition channel, in the current run: customers, repeat rate, value, spend and CAC. Base currency.
-- The last row, without an id, is of the customers of no known channel, where there are any.
-- repeat_rate: of the channel's buyers, the share that bought on two days or more.
-- cac: spend over the customers acquired in the months with spend; formula LTV and CLV: mean over the buyers.
WITH brought AS (
    SELECT c.channel_id, count(*) AS customers, count(l.average_purchase) AS buyers,
        count(*) FILTER (WHERE l.frequency > 0)::float8 / nullif(count(l.average_purchase), 0) AS repeat_rate,
        avg(l.formula_ltv) / 1000 AS formula_ltv, avg(l.margin_clv) / 1000 AS margin_clv,
        avg(l.clv) FILTER (WHERE l.orders > 0) / 1000 AS clv, max(l.channel_cac)::numeric / 1000 AS cac
    FROM customers_customer AS c
    LEFT JOIN ltv_current AS l ON l.customer_id = c.id
    GROUP BY c.channel_id
), spent AS (
    SELECT channel_id, sum(base_amount) AS spend FROM customers_marketingspend GROUP BY channel_id
)
SELECT ch.id AS channel_id, coalesce(ch.name, '') AS name, coalesce(ch.kind, '') AS kind,
    coalesce(customers, 0) AS customers, coalesce(buyers, 0) AS buyers, repeat_rate, formula_ltv, margin_clv, clv, cac, spend
FROM customers_acquisitionchannel AS ch
FULL JOIN brought ON brought.channel_id = ch.id
LEFT JOIN spent ON spent.channel_id = ch.id
ORDER BY ch.name NULLS LAST
