import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('common', '0004_job_stages'),
        ('ltv', '0003_deciles_and_figures'),
    ]

    operations = [
        migrations.AddField(
            model_name='ltvrun',
            name='job',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='valuations', to='common.jobrun'),
        ),
        migrations.AddConstraint(
            model_name='ltvrun',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'published')), fields=('job',), name='ltv_run_published_once_per_job'),
        ),
    ]
