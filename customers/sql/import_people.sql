-- Write the new customers and products of one chunk. Nobody gets a consent here.
-- Parameters: at: the time of writing; language, country, zone: of new customers.
INSERT INTO customers_customer (
    public_id, external_id, name, given_name, family_name, email, email_normalised, phone, language, time_zone,
    country, acquired_at, created_at, updated_at
)
SELECT DISTINCT ON (person)
    gen_random_uuid(), customer_id, coalesce(name, customer_id, left(split_part(email, '@', 1), 160)), '', '',
    CASE WHEN email_norm IS NULL THEN '' ELSE email END, email_norm, '', %(language)s, %(zone)s, %(country)s,
    acquired_at, %(at)s, %(at)s
FROM import_orders
WHERE verdict = 'create' AND buyer_id IS NULL
ORDER BY person, head;

INSERT INTO customers_product (sku, name, category)
SELECT DISTINCT ON (f.sku) f.sku, coalesce(f.product, f.sku), coalesce(f.category, '')
FROM import_facts f
JOIN import_orders o ON o.head = f.head AND o.verdict IN ('create', 'update')
WHERE f.sku IS NOT NULL
ORDER BY f.sku
ON CONFLICT (sku) DO NOTHING
