-- Load the orders whose first row lies in a range, with all their rows, from the checked batch.
-- Parameters: batch; first, until: the range of first rows, until exclusive.
DROP TABLE IF EXISTS pg_temp.import_facts;
CREATE TEMP TABLE import_facts ON COMMIT DROP AS
WITH heads AS (
    SELECT line, (cells ->> 'last')::int AS last
    FROM customers_importrow
    WHERE batch_id = %(batch)s AND line >= %(first)s AND line < %(until)s
        AND verdict IN ('create', 'update') AND (cells ->> 'head')::int = line
)
SELECT
    r.line, r.verdict AS old_verdict, f.head, f.last, f.person, f.position, NULL::text AS reason, f.order_id,
    f.customer_id, f.email, f.email_norm, f.name, f.acquired_at, f.purchased_at, f.purchased_on, f.amount, f.currency,
    f.cost, f.sales_channel, f.sku, f.product, f.category, f.quantity, f.line_amount
FROM customers_importrow r,
    jsonb_to_record(r.cells) AS f(
        head int, last int, person text, position int, order_id text, customer_id text, email text, email_norm text,
        name text, acquired_at timestamptz, purchased_at timestamptz, purchased_on date, amount numeric,
        currency text, cost numeric, sales_channel text, sku text, product text, category text, quantity numeric,
        line_amount numeric
    )
WHERE r.batch_id = %(batch)s AND r.line >= %(first)s AND r.line <= (SELECT max(last) FROM heads)
    AND r.verdict IN ('create', 'update') AND f.head >= %(first)s AND f.head < %(until)s;
CREATE INDEX ON import_facts (line);
ANALYZE import_facts (line, head, reason, sku)
