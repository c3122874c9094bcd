-- Delete the record that was merged into another. Only its row: PostgreSQL refuses if any fact still belongs to it.
-- Parameters: customer.
DELETE FROM customers_customer WHERE id = %(customer)s
