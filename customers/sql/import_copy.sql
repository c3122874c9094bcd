-- Stage rows of a file; the columns are those of import_raw.sql, in the order of core.mapping.FIELDS.
COPY import_raw (
    line, problem, email_norm, order_id, customer_id, email, name, date, amount, currency, cost, sales_channel,
    sku, product, category, quantity, line_amount
) FROM STDIN
