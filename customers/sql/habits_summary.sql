-- How one customer buys: one row, also for who never bought (zeros, NULL days). Money in base currency, net of
-- refunds, of purchases with a rate; gap: median days between two purchase days; items: mean quantity of an order
-- whose lines are known. Parameters: customer.
WITH bought AS (
    SELECT * FROM customers_purchase WHERE customer_id = %(customer)s
),
days AS (
    SELECT purchased_on, purchased_on - lag(purchased_on) OVER (ORDER BY purchased_on) AS gap
    FROM (SELECT DISTINCT purchased_on FROM bought) d
),
baskets AS (
    SELECT l.purchase_id, sum(l.quantity) AS items
    FROM customers_purchaseline l
    JOIN bought b ON b.id = l.purchase_id
    GROUP BY l.purchase_id
)
SELECT
    count(*)::int AS orders,
    count(base_amount)::int AS counted,
    count(*) FILTER (WHERE base_amount IS NULL)::int AS without_rate,
    count(*) FILTER (WHERE refunded > 0)::int AS refunded_orders,
    min(purchased_on) AS first_on,
    max(purchased_on) AS last_on,
    coalesce(sum(base_amount - base_refunded), 0) AS revenue,
    (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY gap) FROM days WHERE gap IS NOT NULL) AS gap,
    (SELECT avg(items)::float8 FROM baskets) AS items,
    mode() WITHIN GROUP (ORDER BY nullif(sales_channel, '')) AS sales_channel
FROM bought
