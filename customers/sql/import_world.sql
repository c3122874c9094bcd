-- Judge the orders in import_facts against what the database knows. Result: import_orders, one row per order
-- without a reason of its own: verdict create, update, same or error; who buys (buyer_id empty: a new customer); the
-- day's rate (empty: none known, so no base amount); and which parts differ from what is stored.
-- Parameters: source: the shop system of the order ids; base: base currency.
DROP TABLE IF EXISTS pg_temp.import_orders;
CREATE TEMP TABLE import_orders ON COMMIT DROP AS
WITH heads AS (
    SELECT * FROM import_facts WHERE reason IS NULL AND line = head
),
found AS (
    SELECT
        h.*,
        CASE WHEN h.customer_id IS NULL THEN m.id
            ELSE coalesce(a.id, former_a.customer_id, CASE WHEN m.external_id IS NULL THEN m.id END) END AS buyer_id,
        h.customer_id IS NOT NULL AND coalesce(a.id, former_a.customer_id) IS NULL AND m.external_id IS NOT NULL
            AS address_taken,
        m.id AS address_owner_id,
        m.external_id AS address_owner,
        former_a.id IS NOT NULL OR h.customer_id IS NULL AND former_m.id IS NOT NULL AS by_former,
        p.id AS purchase_id, p.customer_id AS p_customer_id, p.purchased_at AS p_at, p.amount AS p_amount,
        p.currency AS p_currency, p.cost AS p_cost, p.rate AS p_rate, p.base_cost AS p_base_cost, p.refunded AS p_refunded,
        p.sales_channel AS p_channel,
        CASE WHEN h.currency = %(base)s THEN 1 ELSE x.rate END AS rate
    FROM heads h
    LEFT JOIN customers_customer a ON a.external_id = h.customer_id
    -- what a record was known by before it was merged leads to the customer it was merged into
    LEFT JOIN customers_formerrecord former_a ON a.id IS NULL AND former_a.external_id = h.customer_id
    LEFT JOIN customers_customer owner ON owner.email_normalised = h.email_norm
    LEFT JOIN customers_formerrecord former_m ON owner.id IS NULL AND former_m.email_normalised = h.email_norm
    LEFT JOIN customers_customer m ON m.id = coalesce(owner.id, former_m.customer_id)
    -- looked up one by one: of a new source the statistics know nothing, and a join would read all of it again and again
    LEFT JOIN LATERAL (
        SELECT * FROM customers_purchase q WHERE q.source = %(source)s AND q.external_id = h.order_id LIMIT 1
    ) p ON true
    LEFT JOIN LATERAL (
        SELECT r.rate FROM customers_exchangerate r
        WHERE h.currency <> %(base)s AND r.currency = h.currency AND r.day <= h.purchased_on
        ORDER BY r.day DESC LIMIT 1
    ) x ON true
),
file_lines AS (
    SELECT
        f.head,
        string_agg(concat_ws(chr(31), f.sku, trim_scale(f.quantity), trim_scale(f.line_amount)), chr(30)
            ORDER BY f.position) AS contents,
        bool_or(f.product <> d.name OR f.category <> d.category) AS product_differs
    FROM import_facts f
    LEFT JOIN customers_product d ON d.sku = f.sku
    WHERE f.reason IS NULL AND f.sku IS NOT NULL
    GROUP BY f.head
),
stored_lines AS (
    SELECT
        l.purchase_id,
        string_agg(concat_ws(chr(31), d.sku, trim_scale(l.quantity), trim_scale(l.amount)), chr(30)
            ORDER BY l.position) AS contents
    FROM found n
    JOIN customers_purchaseline l ON l.purchase_id = n.purchase_id
    JOIN customers_product d ON d.id = l.product_id
    GROUP BY l.purchase_id
),
compared AS (
    SELECT
        n.*,
        n.purchase_id IS NOT NULL AND fl.contents IS DISTINCT FROM sl.contents AND fl.contents IS NOT NULL
            AS lines_differ,
        coalesce(fl.product_differs, false) AS product_differs,
        n.purchase_id IS NOT NULL AND (
            n.p_at <> n.purchased_at OR n.p_amount <> n.amount OR n.p_currency <> n.currency
            OR n.p_channel <> coalesce(n.sales_channel, n.p_channel)
            OR n.cost IS NOT NULL AND CASE
                -- a purchase may know its cost in base currency alone
                WHEN n.p_cost IS NULL AND n.p_rate IS NOT NULL
                    THEN n.p_base_cost IS DISTINCT FROM round(n.cost * n.p_rate, 3)
                ELSE n.p_cost IS DISTINCT FROM n.cost
            END
        ) AS purchase_differs,
        n.buyer_id IS NOT NULL AND (
            c.name <> coalesce(n.name, c.name) AND NOT n.by_former
            OR (c.external_id IS NULL AND n.customer_id IS NOT NULL)
            OR (c.email = '' AND n.email_norm IS NOT NULL AND n.address_owner_id IS NULL)
        ) AS buyer_differs,
        c.email_normalised <> n.email_norm OR (c.email = '' AND n.address_owner_id <> n.buyer_id) AS address_kept,
        CASE
            WHEN n.address_taken THEN 'email_of_other|email|' || n.address_owner
            WHEN n.p_customer_id <> n.buyer_id OR (n.purchase_id IS NOT NULL AND n.buyer_id IS NULL)
                THEN 'order_of_other|order_id|' || n.order_id
            WHEN n.amount < n.p_refunded THEN 'below_refunds|amount|' || trim_scale(n.p_refunded)
            WHEN n.p_refunded > 0 AND n.currency <> n.p_currency THEN 'refunded_currency|currency|' || n.p_currency
            WHEN n.amount * n.rate >= 1000000000000000 OR n.cost * n.rate >= 1000000000000000
                THEN 'too_large|amount|' || trim_scale(n.amount)
        END AS refusal
    FROM found n
    LEFT JOIN customers_customer c ON c.id = n.buyer_id
    LEFT JOIN file_lines fl ON fl.head = n.head
    LEFT JOIN stored_lines sl ON sl.purchase_id = n.purchase_id
)
SELECT
    head, person, order_id, customer_id, email, email_norm, CASE WHEN NOT by_former THEN name END AS name, acquired_at, purchased_at, purchased_on, amount,
    currency, cost, sales_channel, rate, buyer_id, purchase_id, lines_differ, purchase_differs, buyer_differs,
    CASE
        WHEN refusal IS NOT NULL THEN 'error'
        WHEN purchase_id IS NULL THEN 'create'
        WHEN purchase_differs OR lines_differ OR buyer_differs OR product_differs THEN 'update'
        ELSE 'same'
    END AS verdict,
    CASE
        WHEN refusal IS NOT NULL THEN refusal
        WHEN address_kept THEN 'address_kept|email|'
        WHEN rate IS NULL THEN 'no_rate|currency|' || currency
        ELSE ''
    END AS reason
FROM compared;
CREATE INDEX ON import_orders (head);
ANALYZE import_orders (head, verdict, order_id, buyer_id)
