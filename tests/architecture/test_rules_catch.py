"""Every rule is shown a tree that breaks it, and one that looks alike and does not."""

import pytest

from tests.architecture import rules

BROKEN = [
    (rules.only_services_write, "customers/admin.py", "customer.save()"),
    (
        rules.only_services_write,
        "customers/models/people.py",
        "Customer.objects.filter(pk=1).update(name='x')",
    ),
    (rules.only_services_write, "campaigns/tasks.py", "Message.objects.all().delete()"),
    (rules.only_services_write, "campaigns/receivers.py", "Message.objects.bulk_create(rows)"),
    (rules.only_services_write, "crm/pages/today.py", "Customer.objects.get_or_create(pk=1)"),
    (rules.only_services_write, "crm/common/tokens.py", "ApiKey.objects.create(name='x')"),
    (rules.only_services_write, "ltv/reports.py", "sql.execute('ltv/clear')"),
    (rules.nobody_below_the_interfaces_reads_the_clock, "customers/services/people.py", "timezone.now()"),
    (
        rules.nobody_below_the_interfaces_reads_the_clock,
        "customers/querysets.py",
        "datetime.datetime.now(tz=UTC)",
    ),
    (rules.nobody_below_the_interfaces_reads_the_clock, "ltv/core/clv.py", "time.time()"),
    (rules.nobody_below_the_interfaces_reads_the_clock, "campaigns/receivers.py", "date.today()"),
    (
        rules.nobody_below_the_interfaces_reads_the_clock,
        "campaigns/models.py",
        "DateTimeField(default=timezone.now)",
    ),
    (
        rules.nobody_below_the_interfaces_reads_the_clock,
        "campaigns/models.py",
        "sent_at = DateTimeField(auto_now_add=True)",
    ),
    (
        rules.nobody_below_the_interfaces_reads_the_clock,
        "campaigns/querysets.py",
        "self.filter(due_at__lte=Now())",
    ),
    (
        rules.nobody_below_the_interfaces_reads_the_clock,
        "ltv/sql/late.sql",
        "-- late\nSELECT 1 WHERE due_at < now()",
    ),
    (rules.nobody_below_the_interfaces_reads_the_clock, "crm/common/jobs.py", "timezone.now()"),
    (rules.no_model_signals, "customers/receivers.py", "from django.db.models.signals import post_save"),
    (rules.no_model_signals, "customers/apps.py", "from django.db.models import signals"),
    (rules.no_model_signals, "customers/models/x.py", "models.signals.post_save.connect(f)"),
    (rules.sql_text_only_in_sql, "ltv/reports.py", "query = 'SELECT 1 FROM customer'"),
    (
        rules.sql_text_only_in_sql,
        "ltv/services/night.py",
        "run(f'UPDATE {table} SET x = 1')\nrun('DELETE FROM x')",
    ),
    (rules.sql_text_only_in_sql, "customers/querysets.py", "Customer.objects.raw(text)"),
    (rules.sql_text_only_in_sql, "customers/querysets.py", "self.annotate(x=RawSQL(text, []))"),
    (rules.sql_text_only_in_sql, "crm/health.py", "connection.cursor()"),
    (rules.sql_files_say_what_they_are, "ltv/sql/bare.sql", "SELECT 1"),
    (rules.one_place_opens_redis, "campaigns/services/send.py", "import redis"),
    (rules.one_place_opens_redis, "crm/health.py", "from redis import Redis"),
    (rules.nothing_waits_in_the_broker, "campaigns/tasks.py", "send.apply_async(eta=due_at)"),
    (rules.nothing_waits_in_the_broker, "campaigns/tasks.py", "send.apply_async(countdown=61)"),
    (rules.nothing_waits_in_the_broker, "campaigns/tasks.py", "self.retry(countdown=delay)"),
    (rules.files_are_short, "customers/models/people.py", "x = 1\n" * 401),
    (rules.files_are_short, "crm/templates/crm/today.html", "<p>\n" * 401),
]

FINE = [
    (rules.only_services_write, "customers/services/people.py", "customer.save()"),
    (rules.only_services_write, "customers/migrations/0001_initial.py", "Shop.objects.create()"),
    (
        rules.only_services_write,
        "customers/reports.py",
        "digest.update(b'x'); seen.update({1}); cache.delete('key')",
    ),
    (rules.nobody_below_the_interfaces_reads_the_clock, "customers/admin.py", "timezone.now()"),
    (rules.nobody_below_the_interfaces_reads_the_clock, "customers/api/views.py", "timezone.now()"),
    (rules.nobody_below_the_interfaces_reads_the_clock, "crm/management/commands/x.py", "timezone.now()"),
    (rules.nobody_below_the_interfaces_reads_the_clock, "crm/common/jobs.py", "time.monotonic()"),
    (
        rules.nobody_below_the_interfaces_reads_the_clock,
        "ltv/models.py",
        "created_at = DateTimeField(auto_now=True)",
    ),
    (rules.nobody_below_the_interfaces_reads_the_clock, "ltv/sql/x.sql", "-- never now()\nSELECT %(now)s"),
    (rules.no_model_signals, "customers/receivers.py", "from django.dispatch import Signal"),
    (rules.sql_text_only_in_sql, "customers/choices.py", "label = 'Select a customer'"),
    (rules.sql_files_say_what_they_are, "ltv/sql/good.sql", "-- What it is\nSELECT 1"),
    (rules.one_place_opens_redis, "crm/common/redis.py", "import redis"),
    (rules.one_place_opens_redis, "crm/common/wake.py", "from redis.exceptions import RedisError"),
    (rules.nothing_waits_in_the_broker, "campaigns/tasks.py", "send.apply_async(countdown=60)"),
    (rules.files_are_short, "customers/models/people.py", "x = 1\n" * 400),
    (rules.files_are_short, "customers/migrations/0001_initial.py", "x = 1\n" * 401),
]


def _write(root, path, text):
    file = root / path
    file.parent.mkdir(parents=True)
    file.write_text(text)


@pytest.mark.parametrize(("rule", "path", "text"), BROKEN)
def test_a_violation_is_found_where_it_stands(tmp_path, rule, path, text):
    _write(tmp_path, path, text)

    (finding,) = rule(tmp_path)

    assert finding.startswith(f"{path}:")


@pytest.mark.parametrize(("rule", "path", "text"), FINE)
def test_what_only_looks_like_a_violation_is_let_pass(tmp_path, rule, path, text):
    _write(tmp_path, path, text)

    assert rule(tmp_path) == []


def test_every_rule_is_shown_something_that_breaks_it():
    assert {rule for rule, _, _ in BROKEN} == set(rules.RULES)
