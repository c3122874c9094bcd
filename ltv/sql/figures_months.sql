-- Revenue net of refunds (base currency), purchases and buyers per business month before as_of, the last 24 months.
SELECT to_char(date_trunc('month', purchased_on), 'YYYY-MM') AS month, sum(base_amount - base_refunded) AS revenue,
    count(*) AS purchases
FROM customers_purchase
WHERE base_amount IS NOT NULL AND purchased_on < %(as_of)s
    AND purchased_on >= date_trunc('month', %(as_of)s::date) - interval '23 months'
GROUP BY 1 ORDER BY 1
