-- Per acquisition channel, in the current run: customers, repeat rate, value, spend and CAC. Base currency.
-- repeat_rate: of the channel's buyers, the share that bought on two days or more.
-- cac: spend over the customers acquired in the months with spend; formula LTV and CLV: mean over the buyers.
SELECT ch.id AS channel_id, ch.name, ch.kind, count(c.id) AS customers,
    count(l.average_purchase) AS buyers,
    count(*) FILTER (WHERE l.frequency > 0)::float8 / nullif(count(l.average_purchase), 0) AS repeat_rate,
    avg(l.formula_ltv) / 1000 AS formula_ltv, avg(l.margin_clv) / 1000 AS margin_clv,
    avg(l.clv) FILTER (WHERE l.orders > 0) / 1000 AS clv, max(l.channel_cac)::numeric / 1000 AS cac,
    (SELECT sum(base_amount) FROM customers_marketingspend AS m WHERE m.channel_id = ch.id) AS spend
FROM customers_acquisitionchannel AS ch
LEFT JOIN customers_customer AS c ON c.channel_id = ch.id
LEFT JOIN ltv_current AS l ON l.customer_id = c.id
GROUP BY ch.id, ch.name, ch.kind
ORDER BY ch.name
