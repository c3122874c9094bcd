"""The words of the ladder's first rung: parameters may be yesterday's, kept because last night's data agree."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ltv", "0013_nights_by_customer")]
    operations = [
        migrations.AlterField(
            model_name="ltvrun",
            name="step",
            field=models.CharField(
                blank=True,
                choices=[
                    ("own_fit", "Fits last night's data"),
                    ("last_good", "The last good fit"),
                    ("pooled", "Fitted with a cautious prior"),
                    ("formula", "Formula only: too little data for a model"),
                ],
                max_length=10,
                verbose_name="model",
            ),
        ),
    ]
