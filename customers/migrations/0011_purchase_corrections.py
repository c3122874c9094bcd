"""What was changed in a purchase after it was recorded, noted by PostgreSQL itself whoever changes it."""

from django.db import migrations, models

TRIGGER = """
-- The moment of the write, not of its transaction's beginning: it is held against the moment a night read purchases.
ALTER TABLE customers_purchasecorrection ALTER COLUMN recorded_at SET DEFAULT clock_timestamp();
CREATE FUNCTION customers_purchase_corrected() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO customers_purchasecorrection (purchase_id, customer_id, former_customer_id, kind)
    SELECT after.id, after.customer_id, before.customer_id, CASE
        WHEN after.customer_id <> before.customer_id THEN 'moved'
        WHEN before.base_amount IS NULL AND after.base_amount IS NOT NULL AND after.amount = before.amount
            AND after.purchased_on = before.purchased_on THEN 'rate'
        ELSE 'facts' END
    FROM after JOIN before ON before.id = after.id
    WHERE (after.customer_id, after.purchased_on, after.base_amount, after.base_cost)
        IS DISTINCT FROM (before.customer_id, before.purchased_on, before.base_amount, before.base_cost);
    RETURN NULL;
END $$;
CREATE TRIGGER purchase_corrected AFTER UPDATE ON customers_purchase
    REFERENCING NEW TABLE AS after OLD TABLE AS before FOR EACH STATEMENT EXECUTE FUNCTION customers_purchase_corrected();
"""
UNDO = "DROP FUNCTION customers_purchase_corrected CASCADE"


class Migration(migrations.Migration):

    dependencies = [
        ('customers', '0010_purchase_cost_checked'),
    ]

    operations = [
        migrations.CreateModel(
            name='PurchaseCorrection',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('purchase_id', models.BigIntegerField()),
                ('customer_id', models.BigIntegerField()),
                ('former_customer_id', models.BigIntegerField()),
                ('kind', models.CharField(choices=[('rate', 'Rate'), ('facts', 'Facts'), ('moved', 'Moved')], max_length=6)),
                ('recorded_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'indexes': [models.Index(fields=['purchase_id'], name='purchase_correction_purchase'), models.Index(fields=['former_customer_id'], name='purchase_correction_former')],
                'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['rate', 'facts', 'moved'])), name='purchase_correction_kind_known'), models.CheckConstraint(condition=models.Q(('kind', 'moved'), ('customer_id', models.F('former_customer_id')), _connector='OR'), name='purchase_correction_moved_has_two')],
            },
        ),
        migrations.RunSQL(TRIGGER, UNDO),
    ]
