-- Write the lines of one chunk's new and changed orders. Parameter: source.
INSERT INTO customers_purchaseline (purchase_id, position, product_id, quantity, amount)
SELECT p.id, f.position, d.id, f.quantity, f.line_amount
FROM import_orders o
JOIN import_facts f ON f.head = o.head AND f.sku IS NOT NULL
CROSS JOIN LATERAL (
    SELECT q.id FROM customers_purchase q WHERE q.source = %(source)s AND q.external_id = o.order_id LIMIT 1
) p
JOIN customers_product d ON d.sku = f.sku
WHERE o.verdict = 'create' OR (o.verdict = 'update' AND o.lines_differ)
