-- Judge the rows against each other: orders of several rows, repeated orders, one address for two customers.
-- Result: import_facts, a row per row of the file, each carrying its whole order's facts and the customer and
-- product facts decided from the file (the last that is not blank wins). head, last: first and last row of the order.
-- Parameters: digits: currency code -> minor digits, JSON.
DROP TABLE IF EXISTS pg_temp.import_file_orders, pg_temp.import_file_differing, pg_temp.import_file_buyers, pg_temp.import_file_people, pg_temp.import_file_products, pg_temp.import_facts;
CREATE TEMP TABLE import_file_orders ON COMMIT DROP AS
SELECT
    order_id,
    min(line) AS head, max(line) AS last, count(sku) AS lines,
    min(customer_id) AS customer_id, min(email_norm) AS email_norm, min(email) AS email, min(name) AS name,
    min(purchased_at) AS purchased_at, min(purchased_on) AS purchased_on,
    coalesce(min(amount), CASE WHEN count(sku) = count(line_amount) THEN sum(line_amount) END) AS amount,
    min(currency) AS currency, min(cost) AS cost, min(sales_channel) AS sales_channel,
    min(line) FILTER (WHERE reason IS NOT NULL) AS bad_line,
    min(line) FILTER (WHERE sku IS NOT NULL AND line_amount IS NULL) AS unpriced_line,
    max(scale(trim_scale(line_amount))) AS line_scale,
    CASE
        WHEN min(customer_id) <> max(customer_id) THEN 'customer_id'
        WHEN min(email_norm) <> max(email_norm) THEN 'email'
        WHEN min(purchased_at) <> max(purchased_at) THEN 'date'
        WHEN min(amount) <> max(amount) THEN 'amount'
        WHEN min(currency) <> max(currency) THEN 'currency'
        WHEN min(cost) <> max(cost) THEN 'cost'
        WHEN min(sales_channel) <> max(sales_channel) THEN 'sales_channel'
    END AS disagreement,
    NULL::text AS reason
FROM import_cells
WHERE order_id IS NOT NULL
GROUP BY order_id;

-- The rows whose fact is not that of the order's first row that has it; the others are only rows of an order with an error.
CREATE TEMP TABLE import_file_differing ON COMMIT DROP AS
SELECT order_id, line, 'disagrees|' || disagreement || '|' || first_line AS reason
FROM (
    SELECT
        o.order_id, o.disagreement, c.line, f.fact,
        first_value(c.line) OVER same_order AS first_line, first_value(f.fact) OVER same_order AS first_fact
    FROM import_file_orders o
    JOIN import_cells c USING (order_id)
    CROSS JOIN LATERAL (
        SELECT CASE o.disagreement
            WHEN 'customer_id' THEN c.customer_id
            WHEN 'email' THEN c.email_norm
            WHEN 'date' THEN c.purchased_at::text
            WHEN 'amount' THEN trim_scale(c.amount)::text
            WHEN 'currency' THEN c.currency
            WHEN 'cost' THEN trim_scale(c.cost)::text
            WHEN 'sales_channel' THEN c.sales_channel
        END AS fact
    ) f
    WHERE o.bad_line IS NULL AND o.disagreement IS NOT NULL AND f.fact IS NOT NULL
    WINDOW same_order AS (PARTITION BY o.order_id ORDER BY c.line)
) facts
WHERE fact <> first_fact;
-- By order: with another column taken for the order id every order may have such rows.
CREATE INDEX ON import_file_differing (order_id, line);
ANALYZE import_file_differing (order_id, line);

UPDATE import_file_orders o SET reason = CASE
    WHEN bad_line IS NOT NULL THEN 'order_has_error||' || bad_line
    WHEN disagreement IS NOT NULL
        THEN 'order_has_error||' || (SELECT min(d.line) FROM import_file_differing d WHERE d.order_id = o.order_id)
    WHEN customer_id IS NULL AND email_norm IS NULL THEN 'missing|customer_id|'
    WHEN purchased_at IS NULL THEN 'missing|date|'
    WHEN currency IS NULL THEN 'missing|currency|'
    WHEN lines > 1 AND unpriced_line IS NOT NULL THEN 'missing|line_amount|' || unpriced_line
    WHEN amount IS NULL THEN 'missing|amount|'
    WHEN amount >= 1000000000000 THEN 'too_large|amount|' || amount
    WHEN scale(trim_scale(amount)) > (%(digits)s::jsonb ->> currency)::int
        THEN 'decimals|amount|' || trim_scale(amount) || ' ' || currency
    WHEN line_scale > (%(digits)s::jsonb ->> currency)::int THEN 'decimals|line_amount|' || currency
END
WHERE bad_line IS NOT NULL OR disagreement IS NOT NULL OR (customer_id IS NULL AND email_norm IS NULL)
    OR purchased_at IS NULL OR currency IS NULL OR (lines > 1 AND unpriced_line IS NOT NULL) OR amount IS NULL
    OR amount >= 1000000000000 OR scale(trim_scale(amount)) > (%(digits)s::jsonb ->> currency)::int
    OR line_scale > (%(digits)s::jsonb ->> currency)::int;

-- One person per customer id; an order with an address only belongs to the customer id that has the address.
CREATE TEMP TABLE import_file_buyers ON COMMIT DROP AS
WITH owners AS (
    SELECT DISTINCT ON (email_norm) email_norm, customer_id
    FROM import_file_orders
    WHERE reason IS NULL AND customer_id IS NOT NULL AND email_norm IS NOT NULL
    ORDER BY email_norm, head
)
SELECT o.order_id, coalesce(o.customer_id, w.customer_id) AS customer_id,
    coalesce('i' || coalesce(o.customer_id, w.customer_id), 'e' || o.email_norm) AS person
FROM import_file_orders o
LEFT JOIN owners w ON o.customer_id IS NULL AND w.email_norm = o.email_norm
WHERE o.reason IS NULL;
ANALYZE import_file_orders (order_id, head);
ANALYZE import_file_buyers (order_id, person);

CREATE TEMP TABLE import_file_people ON COMMIT DROP AS
SELECT
    p.*,
    CASE WHEN p.email_norm IS NOT NULL AND p.person <> first_value(p.person) OVER same_address
        THEN 'email_of_other|email|' || coalesce(first_value(p.customer_id) OVER same_address, '') END AS reason
FROM (
    SELECT
        b.person, min(b.customer_id) AS customer_id, min(o.head) AS first_line, min(o.purchased_at) AS acquired_at,
        (array_agg(o.name ORDER BY o.head DESC) FILTER (WHERE o.name IS NOT NULL))[1] AS name,
        (array_agg(o.email ORDER BY o.head DESC) FILTER (WHERE o.email_norm IS NOT NULL))[1] AS email,
        (array_agg(o.email_norm ORDER BY o.head DESC) FILTER (WHERE o.email_norm IS NOT NULL))[1] AS email_norm
    FROM import_file_buyers b
    JOIN import_file_orders o USING (order_id)
    GROUP BY b.person
) p
WINDOW same_address AS (PARTITION BY p.email_norm ORDER BY p.first_line);

CREATE TEMP TABLE import_file_products ON COMMIT DROP AS
SELECT
    sku,
    (array_agg(product ORDER BY line DESC) FILTER (WHERE product IS NOT NULL))[1] AS product,
    (array_agg(category ORDER BY line DESC) FILTER (WHERE category IS NOT NULL))[1] AS category
FROM import_cells
WHERE sku IS NOT NULL AND reason IS NULL
GROUP BY sku;
ANALYZE import_file_people (person);
ANALYZE import_file_products (sku);

CREATE TEMP TABLE import_facts ON COMMIT DROP AS
SELECT
    c.line, o.head, o.last, p.person,
    row_number() OVER (PARTITION BY c.order_id, c.sku IS NULL ORDER BY c.line) AS position,
    coalesce(
        CASE WHEN o.bad_line IS NOT NULL THEN c.reason END,
        d.reason,
        o.reason,
        CASE WHEN c.line > o.head AND c.sku IS NULL THEN 'repeated|order_id|' || o.head END,
        p.reason,
        c.reason
    ) AS reason,
    c.order_id, p.customer_id, p.email, p.email_norm, p.name, p.acquired_at,
    o.purchased_at, o.purchased_on, o.amount, o.currency, o.cost, o.sales_channel,
    c.sku, s.product, s.category,
    CASE WHEN c.sku IS NOT NULL THEN coalesce(c.quantity, 1) END AS quantity,
    CASE WHEN c.sku IS NOT NULL THEN coalesce(c.line_amount, o.amount) END AS line_amount
FROM import_cells c
LEFT JOIN import_file_orders o USING (order_id)
LEFT JOIN import_file_buyers b USING (order_id)
LEFT JOIN import_file_people p ON p.person = b.person
LEFT JOIN import_file_products s ON s.sku = c.sku
LEFT JOIN import_file_differing d ON d.line = c.line;
CREATE INDEX ON import_facts (line);
ANALYZE import_facts (line, head, reason, sku)
