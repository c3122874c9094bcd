from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("common", "0002_shop")]
    operations = [
        migrations.AddField(
            "shop",
            "frozen_on",
            models.DateField(
                blank=True,
                help_text="For data that ends in the past: figures stand as of this day, whatever the calendar says.",
                null=True,
                verbose_name="calendar held at",
            ),
        ),
    ]
