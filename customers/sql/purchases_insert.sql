-- Store orders that are not there yet, one row of the arrays each; returns what was stored (id, external_id).
-- An order that another transaction stored meanwhile is left out. Amounts and costs in each order's own currency; those in
-- base currency at the latest rate on or before the shop's business day, empty without one.
-- Parameters: source: the shop system of the order ids; base: base currency, worth 1; zone: the shop's time zone;
-- at: the time of writing; customers, external_ids, times, amounts, currencies, costs, channels: the orders.
INSERT INTO customers_purchase (
    customer_id, source, external_id, purchased_at, purchased_on, amount, currency, cost, rate, base_amount, base_cost,
    refunded, base_refunded, sales_channel, recorded_at
)
SELECT
    w.customer_id, %(source)s, w.external_id, w.purchased_at, w.purchased_on, w.amount, w.currency, w.cost, w.rate,
    round(w.amount * w.rate, 3), round(w.cost * w.rate, 3), 0, 0, w.sales_channel, %(at)s
FROM (
    SELECT o.*, CASE WHEN o.currency = %(base)s THEN 1 ELSE x.rate END AS rate
    FROM (
        SELECT u.*, (u.purchased_at AT TIME ZONE %(zone)s)::date AS purchased_on
        FROM unnest(
            %(customers)s::bigint[], %(external_ids)s::text[], %(times)s::timestamptz[], %(amounts)s::numeric[],
            %(currencies)s::text[], %(costs)s::numeric[], %(channels)s::text[]
        ) AS u (customer_id, external_id, purchased_at, amount, currency, cost, sales_channel)
    ) o
    LEFT JOIN LATERAL (
        SELECT r.rate FROM customers_exchangerate r
        WHERE r.currency = o.currency AND r.day <= o.purchased_on
        ORDER BY r.day DESC LIMIT 1
    ) x ON true
) w
ORDER BY w.external_id
ON CONFLICT (source, external_id) DO NOTHING
RETURNING id, external_id
