"""A run's table: the columns the model names, old runs dropped, readers never in between."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, connections

from ltv.models import CurrentRun, CustomerLtv, CustomerOutlook, LtvRun
from ltv.services import night, publishing
from tests.factories import CustomerFactory, PurchaseFactory


def test_the_view_has_exactly_the_columns_of_its_two_models(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM ltv_current LIMIT 0")
        columns = {column.name for column in cursor.description}

    assert columns == {
        field.column for model in (CustomerLtv, CustomerOutlook) for field in model._meta.fields
    }


@pytest.mark.django_db(transaction=True)
def test_only_the_newest_runs_are_in_the_plans_of_readers(now, shop):
    PurchaseFactory()

    for day in range(5):
        night.run_due(clock=lambda day=day: now + timedelta(days=day))

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'ltv_customerltv'::regclass"
        )
        kept = [name for (name,) in cursor.fetchall() if name.startswith("ltv_customerltv_r")]
    newest = LtvRun.objects.order_by("-pk").values_list("pk", flat=True)[: publishing.ATTACHED]
    assert sorted(kept) == sorted(publishing.table_name(pk) for pk in newest)
    assert LtvRun.objects.count() == 5
    assert CustomerLtv.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_history_is_two_weeks_of_nights_and_the_last_one_of_each_month(now, shop):
    PurchaseFactory()
    days = [
        -40,
        -33,
        -31,
        -30,
        -20,
        -14,
        -13,
        -13,
        -1,
        0,
    ]  # from 2026-03-02: until January 20, 27, 29, 30, ...

    for day in days:
        night.request_recalculation(by=None, now=now + timedelta(days=day))
        night.run_due(clock=lambda day=day: now + timedelta(days=day))

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relname ~ '^ltv_customerltv_r[0-9]+$' AND relkind = 'r'"
        )
        tables = {name for (name,) in cursor.fetchall()}
    runs = LtvRun.objects.filter(state="published").order_by("pk")
    kept = [(run.as_of - now.date()).days for run in runs if publishing.table_name(run.pk) in tables]
    assert kept == [
        -30,
        -13,
        -1,
        0,
    ]  # of February the last is the newest of all; of two runs of a date the later


@pytest.mark.django_db(transaction=True)
def test_a_reader_sees_whole_runs_only_while_nights_follow_one_another(now, shop):
    for customer in CustomerFactory.create_batch(40):
        PurchaseFactory(customer=customer)
    night.run_due(clock=lambda: now)
    seen, stop = [], threading.Event()

    def read() -> None:
        while not stop.is_set():
            with connection.cursor() as cursor:
                cursor.execute("SELECT count(*), count(DISTINCT run_id) FROM ltv_current")
                seen.append(cursor.fetchone())
        connections.close_all()

    reader = threading.Thread(target=read)
    reader.start()
    for day in range(1, 6):
        night.run_due(clock=lambda day=day: now + timedelta(days=day))
    stop.set()
    reader.join()

    assert len(seen) > 20
    assert set(seen) == {(40, 1)}
    assert CurrentRun.objects.get().run.as_of.isoformat() == "2026-03-07"
