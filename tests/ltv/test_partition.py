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
def test_only_the_newest_runs_keep_their_tables(now, shop):
    PurchaseFactory()

    for day in range(5):
        night.run_due(clock=lambda day=day: now + timedelta(days=day))

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'ltv_customerltv'::regclass"
        )
        kept = [name for (name,) in cursor.fetchall() if name.startswith("ltv_customerltv_r")]
    newest = LtvRun.objects.order_by("-pk").values_list("pk", flat=True)[: publishing.KEEP]
    assert sorted(kept) == sorted(publishing.table_name(pk) for pk in newest)
    assert LtvRun.objects.count() == 5
    assert CustomerLtv.objects.count() == 1


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
