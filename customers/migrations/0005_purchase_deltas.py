"""What every write to purchases adds to or takes from a day's revenue, in the same transaction."""

from django.db import migrations, models

FUNCTIONS = """
CREATE OR REPLACE FUNCTION customers_purchase_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO customers_purchasechange (customer_id) SELECT DISTINCT customer_id FROM after;
    INSERT INTO customers_purchasedelta (day, revenue, purchases)
    SELECT purchased_on, sum(base_amount - base_refunded), count(*)
    FROM after WHERE base_amount IS NOT NULL GROUP BY purchased_on;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION customers_purchase_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO customers_purchasechange (customer_id)
    SELECT customer_id FROM after UNION SELECT customer_id FROM before;
    INSERT INTO customers_purchasedelta (day, revenue, purchases)
    SELECT purchased_on, sum(revenue), sum(purchases) FROM (
        SELECT purchased_on, base_amount - base_refunded AS revenue, 1 AS purchases
        FROM after WHERE base_amount IS NOT NULL
        UNION ALL
        SELECT purchased_on, base_refunded - base_amount, -1 FROM before WHERE base_amount IS NOT NULL
    ) AS rows GROUP BY purchased_on HAVING sum(revenue) <> 0 OR sum(purchases) <> 0;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION customers_purchase_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO customers_purchasechange (customer_id) SELECT DISTINCT customer_id FROM before;
    INSERT INTO customers_purchasedelta (day, revenue, purchases)
    SELECT purchased_on, -sum(base_amount - base_refunded), -count(*)
    FROM before WHERE base_amount IS NOT NULL GROUP BY purchased_on;
    RETURN NULL;
END $$;
"""
BEFORE = """
CREATE OR REPLACE FUNCTION customers_purchase_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO customers_purchasechange (customer_id) SELECT DISTINCT customer_id FROM after;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION customers_purchase_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO customers_purchasechange (customer_id)
    SELECT customer_id FROM after UNION SELECT customer_id FROM before;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION customers_purchase_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO customers_purchasechange (customer_id) SELECT DISTINCT customer_id FROM before;
    RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0004_is_time")]
    operations = [
        migrations.CreateModel(
            name="PurchaseDelta",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField()),
                ("revenue", models.DecimalField(max_digits=20, decimal_places=3)),
                ("purchases", models.IntegerField()),
            ],
        ),
        migrations.RunSQL(FUNCTIONS, BEFORE),
    ]
