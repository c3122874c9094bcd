-- Purchases that are counted nowhere because no rate is known, by currency. Amounts in that currency. No parameters.
SELECT currency, count(*)::int AS purchases, sum(amount) AS amount, min(purchased_on) AS first_on,
    max(purchased_on) AS last_on
FROM customers_purchase
WHERE base_amount IS NULL
GROUP BY currency
ORDER BY purchases DESC, currency
