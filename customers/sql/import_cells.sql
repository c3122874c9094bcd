-- Judge each staged row by itself: texts become typed values, or a reason "code|field|value".
-- Each step is MATERIALIZED: folded into one, every expression would be worked out again wherever it is used.
-- Parameters: number (pattern), grouping, point: how the file writes numbers; date_pattern, date_whole, date_written: its
-- days, with a time behind them, and how PostgreSQL reads them; zone: the shop's time zone, for times without one; today: the last day allowed;
-- digits: currency code -> minor digits, JSON: the currencies.
DROP TABLE IF EXISTS pg_temp.import_cells;
CREATE TEMP TABLE import_cells ON COMMIT DROP AS
WITH texts AS MATERIALIZED (
    SELECT
        r.*,
        CASE WHEN date ~ %(date_whole)s
            THEN regexp_replace(date, %(date_pattern)s, %(date_written)s) END AS date_text,
        CASE WHEN amount ~ %(number)s
            THEN replace(replace(amount, %(grouping)s, ''), %(point)s, '.') END AS amount_text,
        CASE WHEN cost ~ %(number)s
            THEN replace(replace(cost, %(grouping)s, ''), %(point)s, '.') END AS cost_text,
        CASE WHEN quantity ~ %(number)s
            THEN replace(replace(quantity, %(grouping)s, ''), %(point)s, '.') END AS quantity_text,
        CASE WHEN line_amount ~ %(number)s
            THEN replace(replace(line_amount, %(grouping)s, ''), %(point)s, '.') END AS line_amount_text,
        concat_ws('', order_id, customer_id, name, sales_channel, sku, product, category) AS free_text
    FROM import_raw r
),
times AS MATERIALIZED (
    SELECT
        t.*,
        t.date_text ~ '(Z|[+-][0-9]{{2}}:?[0-9]{{2}})$' AND t.date_text ~ ':' AS has_zone,
        t.date_text IS NOT NULL AND customers_is_time(t.date_text) AS is_time
    FROM texts t
),
typed AS MATERIALIZED (
    SELECT
        t.line, t.problem, t.date, t.amount, t.cost, t.currency, t.quantity, t.line_amount, t.free_text,
        t.date_text, t.has_zone, t.is_time, t.amount_text, t.cost_text, t.quantity_text, t.line_amount_text,
        nullif(t.order_id, '') AS order_id,
        nullif(t.customer_id, '') AS customer_id,
        nullif(t.email, '') AS email,
        nullif(t.email_norm, '') AS email_norm,
        nullif(t.name, '') AS name,
        CASE
            WHEN NOT t.is_time THEN NULL
            WHEN t.has_zone THEN t.date_text::timestamptz
            ELSE t.date_text::timestamp AT TIME ZONE %(zone)s
        END AS purchased_at,
        nullif(upper(t.currency), '') AS code,
        nullif(t.sales_channel, '') AS sales_channel,
        nullif(t.sku, '') AS sku,
        nullif(t.product, '') AS product,
        nullif(t.category, '') AS category
    FROM times t
)
SELECT
    line, order_id, customer_id, email, email_norm, name, purchased_at,
    (purchased_at AT TIME ZONE %(zone)s)::date AS purchased_on,
    amount_text::numeric AS amount,
    code AS currency,
    round(cost_text::numeric, 3) AS cost,  -- often an average, with decimals that no column keeps
    sales_channel, sku, product, category,
    quantity_text::numeric AS quantity,
    line_amount_text::numeric AS line_amount,
    CASE
        WHEN problem <> '' THEN problem
        WHEN free_text ~ '[\u0001-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]' THEN 'control_character||'
        WHEN order_id IS NULL THEN 'missing|order_id|'
        WHEN length(order_id) > 100 THEN 'too_long|order_id|100'
        WHEN length(customer_id) > 100 THEN 'too_long|customer_id|100'
        WHEN length(name) > 160 THEN 'too_long|name|160'
        WHEN length(sales_channel) > 40 THEN 'too_long|sales_channel|40'
        WHEN length(sku) > 80 THEN 'too_long|sku|80'
        WHEN length(product) > 200 THEN 'too_long|product|200'
        WHEN length(category) > 80 THEN 'too_long|category|80'
        WHEN date <> '' AND (date_text IS NULL OR NOT is_time) THEN 'not_a_date|date|' || left(date, 60)
        WHEN NOT has_zone AND date_text ~ ':'
            AND (purchased_at AT TIME ZONE %(zone)s) <> date_text::timestamp THEN 'no_such_time|date|' || left(date, 60)
        WHEN (purchased_at AT TIME ZONE %(zone)s)::date < date '1970-01-01' THEN 'too_early|date|' || left(date, 60)
        WHEN (purchased_at AT TIME ZONE %(zone)s)::date > %(today)s::date THEN 'in_the_future|date|' || left(date, 60)
        WHEN amount <> '' AND amount_text IS NULL THEN 'not_a_number|amount|' || left(amount, 60)
        WHEN amount_text::numeric < 0 THEN 'negative|amount|' || left(amount, 60)
        WHEN cost <> '' AND cost_text IS NULL THEN 'not_a_number|cost|' || left(cost, 60)
        WHEN cost_text::numeric < 0 THEN 'negative|cost|' || left(cost, 60)
        WHEN cost_text::numeric >= 1000000000000 THEN 'too_large|cost|' || left(cost, 60)
        WHEN quantity <> '' AND quantity_text IS NULL THEN 'not_a_number|quantity|' || left(quantity, 60)
        WHEN quantity_text::numeric <= 0 OR quantity_text::numeric >= 1000000000
            OR scale(trim_scale(quantity_text::numeric)) > 3 THEN 'not_a_quantity|quantity|' || left(quantity, 60)
        WHEN line_amount <> '' AND line_amount_text IS NULL THEN 'not_a_number|line_amount|' || left(line_amount, 60)
        WHEN line_amount_text::numeric < 0 THEN 'negative|line_amount|' || left(line_amount, 60)
        WHEN code IS NOT NULL AND %(digits)s::jsonb ->> code IS NULL THEN 'unknown_currency|currency|' || left(currency, 60)
        WHEN sku IS NULL AND (product IS NOT NULL OR category IS NOT NULL OR quantity <> '' OR line_amount <> '')
            THEN 'missing|sku|'
    END AS reason
FROM typed;

CREATE INDEX ON import_cells (line);
ANALYZE import_cells (line, order_id, sku)
