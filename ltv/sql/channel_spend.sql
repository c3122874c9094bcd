-- What was spent on each channel in each month up to a day, where its currency has a rate. Base currency.
-- Parameter: last_day. next_month: the day the month is over.
SELECT channel_id, month, (month + interval '1 month')::date AS next_month, sum(base_amount) AS spend
FROM customers_marketingspend
WHERE month <= %(last_day)s AND base_amount IS NOT NULL
GROUP BY channel_id, month ORDER BY channel_id, month
