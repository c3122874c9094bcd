from datetime import timedelta

import django.db.models.deletion
from django.db import migrations, models


def keep_stages(apps, schema_editor):
    """The stages of past runs, kept as [{"stage", "seconds", "rows"}], become rows: one begins where another ended."""
    rows = []
    for run in apps.get_model("common", "JobRun").objects.exclude(past_stages=[]).exclude(started_at=None):
        at = run.started_at
        for place, stage in enumerate(run.past_stages):
            ended = at + timedelta(seconds=stage["seconds"])
            times = {"started_at": at, "finished_at": ended}
            facts = {"name": stage["stage"], "state": "done", "attempts": 1, "done": stage["rows"]}
            rows.append(apps.get_model("common", "JobStage")(run=run, place=place, **facts, **times))
            at = ended
    apps.get_model("common", "JobStage").objects.bulk_create(rows, ignore_conflicts=True)


class Migration(migrations.Migration):

    dependencies = [
        ('common', '0003_shop_frozen_on'),
    ]

    operations = [
        migrations.RenameField('jobrun', 'stages', 'past_stages'),
        migrations.CreateModel(
            name='JobStage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('place', models.PositiveSmallIntegerField()),
                ('name', models.CharField(max_length=40, verbose_name='stage')),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('running', 'Running'), ('done', 'Done'), ('failed', 'Failed')], default='waiting', max_length=10, verbose_name='state')),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('done', models.BigIntegerField(default=0)),
                ('total', models.BigIntegerField(default=0)),
                ('started_at', models.DateTimeField(blank=True, null=True, verbose_name='started')),
                ('finished_at', models.DateTimeField(blank=True, null=True, verbose_name='finished')),
                ('worker', models.CharField(blank=True, max_length=120, verbose_name='worker')),
                ('error', models.TextField(blank=True, verbose_name='error')),
                ('facts', models.JSONField(blank=True, default=dict)),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='stages', to='common.jobrun')),
            ],
            options={
                'ordering': ['run_id', 'place'],
            },
        ),
        migrations.CreateModel(
            name='JobPart',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('low', models.BigIntegerField()),
                ('high', models.BigIntegerField()),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('running', 'Running'), ('done', 'Done'), ('failed', 'Failed')], default='waiting', max_length=10)),
                ('lease_until', models.DateTimeField(blank=True, null=True)),
                ('worker', models.CharField(blank=True, max_length=120)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('rows', models.BigIntegerField(default=0)),
                ('facts', models.JSONField(blank=True, default=dict)),
                ('error', models.TextField(blank=True)),
                ('started_at', models.DateTimeField(blank=True, null=True)),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('stage', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='parts', to='common.jobstage')),
            ],
            options={
                'ordering': ['stage_id', 'number'],
            },
        ),
        migrations.AddConstraint(
            model_name='jobstage',
            constraint=models.UniqueConstraint(fields=('run', 'name'), name='job_stage_once'),
        ),
        migrations.AddConstraint(
            model_name='jobstage',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['waiting', 'running', 'done', 'failed'])), name='job_stage_state_known'),
        ),
        migrations.AddConstraint(
            model_name='jobstage',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('started_at__isnull', True), ('state', 'waiting')), models.Q(models.Q(('state', 'waiting'), _negated=True), ('started_at__isnull', False)), _connector='OR'), name='job_stage_begun_has_time'),
        ),
        migrations.AddConstraint(
            model_name='jobstage',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', False), ('state__in', ['done', 'failed'])), models.Q(models.Q(('state__in', ['done', 'failed']), _negated=True), ('finished_at__isnull', True)), _connector='OR'), name='job_stage_end_has_time'),
        ),
        migrations.AddConstraint(
            model_name='jobstage',
            constraint=models.CheckConstraint(condition=models.Q(('done__gte', 0), ('total__gte', 0)), name='job_stage_counts'),
        ),
        migrations.AddConstraint(
            model_name='jobpart',
            constraint=models.UniqueConstraint(fields=('stage', 'number'), name='job_part_once'),
        ),
        migrations.AddConstraint(
            model_name='jobpart',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['waiting', 'running', 'done', 'failed'])), name='job_part_state_known'),
        ),
        migrations.AddConstraint(
            model_name='jobpart',
            constraint=models.CheckConstraint(condition=models.Q(('low__lt', models.F('high'))), name='job_part_range'),
        ),
        migrations.AddConstraint(
            model_name='jobpart',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('lease_until__isnull', False), ('state', 'running')), models.Q(models.Q(('state', 'running'), _negated=True), ('lease_until__isnull', True)), _connector='OR'), name='job_part_running_has_lease'),
        ),
        migrations.AddConstraint(
            model_name='jobpart',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', False), ('state__in', ['done', 'failed'])), models.Q(models.Q(('state__in', ['done', 'failed']), _negated=True), ('finished_at__isnull', True)), _connector='OR'), name='job_part_end_has_time'),
        ),
        migrations.RunPython(keep_stages, migrations.RunPython.noop),
        migrations.RemoveField('jobrun', 'past_stages'),
        migrations.RemoveField('jobrun', 'stage'),
        migrations.RemoveField('jobrun', 'done'),
        migrations.RemoveField('jobrun', 'total'),
    ]
