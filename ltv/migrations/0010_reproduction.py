"""Past nights worked out once more."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('common', '0004_job_stages'),
        ('ltv', '0009_run_scales'),
    ]

    operations = [
        migrations.CreateModel(
            name='Reproduction',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('checked_at', models.DateTimeField(blank=True, null=True)),
                ('customers', models.IntegerField(default=0)),
                ('differing', models.IntegerField(default=0)),
                ('findings', models.JSONField(blank=True, default=list)),
                ('job', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reproductions', to='common.jobrun')),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reproductions', to='ltv.ltvrun')),
            ],
            options={
                'ordering': ['-id'],
                'constraints': [models.UniqueConstraint(fields=('job', 'run'), name='reproduction_once_per_job'), models.CheckConstraint(condition=models.Q(('differing__gte', 0), ('differing__lte', models.F('customers'))), name='reproduction_part_of_the_customers')],
            },
        ),
    ]
