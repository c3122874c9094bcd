-- Make the temporary table a file is staged into: one row per row of the file, every fact still as text.
-- problem: what Python already found wrong with the row (code|field|value), else empty. It vanishes at commit.
DROP TABLE IF EXISTS pg_temp.import_raw;
CREATE TEMP TABLE import_raw (
    line integer NOT NULL,
    problem text NOT NULL,
    email_norm text NOT NULL,
    order_id text NOT NULL,
    customer_id text NOT NULL,
    email text NOT NULL,
    name text NOT NULL,
    date text NOT NULL,
    amount text NOT NULL,
    currency text NOT NULL,
    cost text NOT NULL,
    sales_channel text NOT NULL,
    sku text NOT NULL,
    product text NOT NULL,
    category text NOT NULL,
    quantity text NOT NULL,
    line_amount text NOT NULL
) ON COMMIT DROP
