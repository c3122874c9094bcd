-- Write the orders of one chunk, and correct the customers and products they name. A blank in the file keeps what is
-- stored. Parameters: source; at: the time of writing.
UPDATE import_orders o SET buyer_id = c.id
FROM customers_customer c
WHERE o.buyer_id IS NULL AND o.verdict = 'create' AND c.external_id = o.customer_id;

UPDATE import_orders o SET buyer_id = c.id
FROM customers_customer c
WHERE o.buyer_id IS NULL AND o.verdict = 'create' AND o.customer_id IS NULL AND c.email_normalised = o.email_norm;

UPDATE customers_customer c
SET name = coalesce(n.name, c.name),
    external_id = coalesce(c.external_id, n.customer_id),
    email = CASE WHEN n.takes_address THEN n.email ELSE c.email END,
    email_normalised = CASE WHEN n.takes_address THEN n.email_norm ELSE c.email_normalised END,
    updated_at = %(at)s
FROM (
    SELECT DISTINCT ON (o.buyer_id)
        o.buyer_id, o.name, o.customer_id, o.email, o.email_norm,
        b.email = '' AND o.email_norm IS NOT NULL
            AND NOT EXISTS (SELECT FROM customers_customer m WHERE m.email_normalised = o.email_norm) AS takes_address
    FROM import_orders o
    JOIN customers_customer b ON b.id = o.buyer_id
    WHERE o.buyer_differs AND o.verdict IN ('create', 'update')
    ORDER BY o.buyer_id, o.head DESC
) n
WHERE c.id = n.buyer_id;

UPDATE customers_product d
SET name = coalesce(n.product, d.name), category = coalesce(n.category, d.category)
FROM (
    SELECT DISTINCT ON (f.sku) f.sku, f.product, f.category
    FROM import_facts f
    JOIN import_orders o ON o.head = f.head AND o.verdict IN ('create', 'update')
    WHERE f.sku IS NOT NULL
    ORDER BY f.sku
) n
WHERE d.sku = n.sku AND (d.name <> n.product OR d.category <> n.category);

INSERT INTO customers_purchase (
    customer_id, source, external_id, purchased_at, purchased_on, amount, currency, cost, rate, base_amount, base_cost,
    refunded, base_refunded, sales_channel, recorded_at
)
SELECT
    buyer_id, %(source)s, order_id, purchased_at, purchased_on, amount, currency, cost, rate, round(amount * rate, 3),
    round(cost * rate, 3), 0, 0, coalesce(sales_channel, ''), %(at)s
FROM import_orders
WHERE verdict = 'create'
ORDER BY head;

UPDATE customers_purchase p
SET purchased_at = o.purchased_at, purchased_on = o.purchased_on, amount = o.amount, currency = o.currency,
    cost = o.known_cost, rate = o.rate, base_amount = round(o.amount * o.rate, 3),
    base_cost = CASE WHEN o.known_cost IS NULL THEN p.base_cost ELSE round(o.known_cost * o.rate, 3) END,
    base_refunded = coalesce(round(p.refunded * o.rate, 3), 0),
    sales_channel = coalesce(o.sales_channel, p.sales_channel)
FROM (
    -- a cost that the file leaves blank is the stored one, unless that was in another currency
    SELECT n.*, coalesce(n.cost, CASE WHEN s.currency = n.currency THEN s.cost END) AS known_cost
    FROM import_orders n
    JOIN customers_purchase s ON s.id = n.purchase_id
    WHERE n.verdict = 'update' AND n.purchase_differs
) o
WHERE p.id = o.purchase_id;

DELETE FROM customers_purchaseline l
USING import_orders o
WHERE o.verdict = 'update' AND o.lines_differ AND l.purchase_id = o.purchase_id
