"""What PostgreSQL itself keeps true: refund sums, the queue of changed customers, an unlogged staging table."""

from django.db import migrations

REFUNDS = """
CREATE FUNCTION customers_refund_applied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- purchase_refund_within_amount refuses a sum above the amount
    UPDATE customers_purchase
    SET refunded = refunded + NEW.amount, base_refunded = coalesce(round((refunded + NEW.amount) * rate, 3), 0)
    WHERE id = NEW.purchase_id;
    RETURN NULL;
END $$;
CREATE TRIGGER refund_applied AFTER INSERT ON customers_refund
    FOR EACH ROW EXECUTE FUNCTION customers_refund_applied();

CREATE FUNCTION customers_refund_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a refund is never changed or deleted' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER refund_is_final BEFORE UPDATE OR DELETE ON customers_refund
    FOR EACH ROW EXECUTE FUNCTION customers_refund_is_final();
"""

CHANGES = """
CREATE FUNCTION customers_purchase_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO customers_purchasechange (customer_id) SELECT DISTINCT customer_id FROM after;
    RETURN NULL;
END $$;
CREATE FUNCTION customers_purchase_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO customers_purchasechange (customer_id)
    SELECT customer_id FROM after UNION SELECT customer_id FROM before;
    RETURN NULL;
END $$;
CREATE FUNCTION customers_purchase_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO customers_purchasechange (customer_id) SELECT DISTINCT customer_id FROM before;
    RETURN NULL;
END $$;
CREATE TRIGGER purchase_inserted AFTER INSERT ON customers_purchase
    REFERENCING NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION customers_purchase_inserted();
CREATE TRIGGER purchase_updated AFTER UPDATE ON customers_purchase
    REFERENCING NEW TABLE AS after OLD TABLE AS before FOR EACH STATEMENT EXECUTE FUNCTION customers_purchase_updated();
CREATE TRIGGER purchase_deleted AFTER DELETE ON customers_purchase
    REFERENCING OLD TABLE AS before FOR EACH STATEMENT EXECUTE FUNCTION customers_purchase_deleted();
"""

STORAGE = """
ALTER TABLE customers_importrow SET UNLOGGED;
-- keeps pages all-visible, so that the night's index-only scan stays one
ALTER TABLE customers_purchase SET (autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_vacuum_scale_factor = 0.02);
"""

UNDO = """
DROP FUNCTION customers_refund_applied, customers_refund_is_final, customers_purchase_inserted,
    customers_purchase_updated, customers_purchase_deleted CASCADE;
ALTER TABLE customers_importrow SET LOGGED;
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0001_initial")]
    operations = [migrations.RunSQL(REFUNDS + CHANGES + STORAGE, UNDO)]
