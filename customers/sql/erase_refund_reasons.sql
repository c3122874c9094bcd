-- Empty the reasons of a customer's refunds: the one change of a refund that its trigger lets pass.
-- Parameters: customer.
UPDATE customers_refund AS refund SET reason = ''
FROM customers_purchase AS purchase
WHERE purchase.id = refund.purchase_id AND purchase.customer_id = %(customer)s AND refund.reason <> ''
