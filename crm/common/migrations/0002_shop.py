from django.db import migrations


def create_shop(apps, schema_editor):
    apps.get_model("common", "Shop").objects.get_or_create(only_row=True)


class Migration(migrations.Migration):
    dependencies = [("common", "0001_initial")]
    operations = [migrations.RunPython(create_shop, migrations.RunPython.noop)]
