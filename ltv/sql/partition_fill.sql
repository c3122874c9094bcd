-- Every customer's figures of one run: summaries x predictions x the channel's CAC, in one pass.
-- Parameters: run_id, last_day (date), retention_months, margin_rate. Money in base currency.
-- CAC of a channel: its spend over the customers it brought in the months it was spent.
-- formula LTV: average purchase x purchases a month x retention months; at least one month observed (365.25 / 12 days).
WITH spent AS (
    SELECT channel_id, sum(base_amount) AS spend FROM customers_marketingspend
    WHERE month <= %(last_day)s AND base_amount IS NOT NULL GROUP BY channel_id
), brought AS (
    SELECT c.channel_id, count(*) AS customers FROM customers_customer AS c
    WHERE EXISTS (
        SELECT FROM customers_marketingspend AS m
        WHERE m.channel_id = c.channel_id AND m.base_amount IS NOT NULL AND m.month <= %(last_day)s
            AND m.month = date_trunc('month', c.acquired_at AT TIME ZONE %(time_zone)s)::date)
    GROUP BY c.channel_id
), cac AS (
    SELECT channel_id, round(spend / customers, 3) AS cac FROM spent JOIN brought USING (channel_id)
), figures AS (
    SELECT c.id AS customer_id, c.channel_id, s.first_day, s.last_day, s.days, s.orders, s.revenue, s.margin,
        s.revenue / nullif(s.orders, 0) AS average,
        s.orders / greatest((%(last_day)s::date - s.first_day + 1) / (365.25 / 12), 1) AS per_month
    FROM customers_customer AS c
    LEFT JOIN ltv_purchasesummary AS s ON s.customer_id = c.id
)
INSERT INTO {partition} (
    run_id, customer_id, orders, frequency, recency_days, age_days, revenue, margin, average_purchase,
    purchases_per_month, formula_ltv, margin_clv, channel_cac, ltv_to_cac, expected_purchases, expected_value,
    expected_value_low, expected_value_high, clv, p_alive, p_no_purchase, next_purchase_on, clv_decile)
SELECT %(run_id)s, f.customer_id, coalesce(f.orders, 0), coalesce(f.days - 1, 0),
    %(last_day)s::date - f.last_day, %(last_day)s::date - f.first_day, coalesce(f.revenue, 0), coalesce(f.margin, 0),
    f.average, f.per_month, f.average * f.per_month * %(retention_months)s,
    f.average * f.per_month * %(retention_months)s * coalesce(f.margin / nullif(f.revenue, 0), %(margin_rate)s),
    cac.cac, f.average * f.per_month * %(retention_months)s / nullif(cac.cac, 0),
    p.expected_purchases, p.expected_value, p.expected_value_low, p.expected_value_high, coalesce(p.clv, 0),
    p.p_alive, p.p_no_purchase,
    CASE WHEN p.next_purchase_days < 3650 THEN %(last_day)s::date + ceil(p.next_purchase_days)::int END,
    CASE WHEN p.clv IS NOT NULL THEN
        ntile(10) OVER (PARTITION BY p.clv IS NULL ORDER BY p.clv DESC, f.customer_id) END
FROM figures AS f
LEFT JOIN ltv_prediction AS p ON p.customer_id = f.customer_id AND p.run_id = %(run_id)s
LEFT JOIN cac ON cac.channel_id = f.channel_id
