-- The products one customer bought in most orders. Parameters: customer; limit: how many.
SELECT d.sku, d.name, d.category, count(DISTINCT l.purchase_id)::int AS orders, sum(l.quantity) AS quantity,
    max(p.purchased_on) AS last_on
FROM customers_purchase p
JOIN customers_purchaseline l ON l.purchase_id = p.id
JOIN customers_product d ON d.id = l.product_id
WHERE p.customer_id = %(customer)s
GROUP BY d.id
ORDER BY orders DESC, quantity DESC, d.sku
LIMIT %(limit)s
