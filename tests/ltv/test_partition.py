"""A run's table: the columns the model names, old runs dropped, readers never in between."""

import re
import threading
from datetime import timedelta

import pytest
from django.db import connection, connections

from customers.services import segments
from ltv import traits
from ltv.models import CustomerLtv, CustomerOutlook, LtvRun
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
def test_the_planner_is_told_of_every_column_that_rules_ask_for(now, shop):
    PurchaseFactory()
    night.run_due(clock=lambda: now)

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname FROM pg_stats WHERE tablename = %s",
            [publishing.table_name(LtvRun.objects.get().pk)],
        )
        told = {name for (name,) in cursor.fetchall()}
    asked = {
        name for trait in (*traits.PAST, *traits.FUTURE) for name in re.findall(r"{ltv}\.(\w+)", trait.sql)
    }
    assert len(asked) > 15
    assert asked <= told


@pytest.mark.django_db(transaction=True)
def test_only_the_newest_runs_are_in_the_plans_of_readers(now, shop):
    PurchaseFactory()

    for day in range(5):
        night.run_due(clock=lambda day=day: now + timedelta(days=day))

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'ltv_customerltv'::regclass"
        )
        ours = {publishing.table_name(run.pk) for run in LtvRun.objects.all()}
        kept = [name for (name,) in cursor.fetchall() if name in ours]
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


# -- readers ---------------------------------------------------------------------------------------------------

LATELY = 20  # days
MEMBERS = (
    "SELECT l.run_id, l.customer_id, l.recency_days FROM customers_segmentmembership AS stay"
    " JOIN ltv_current AS l USING (customer_id) WHERE stay.left_at IS NULL"
)
TOTALS = (
    "SELECT r.id, (r.customers, r.revenue, r.clv) = (count(*), sum(l.revenue) / 1000, sum(l.clv) / 1000)"
    " FROM ltv_current AS l JOIN ltv_ltvrun AS r ON r.id = l.run_id GROUP BY r.id"
)
BEST = "SELECT run_id, customer_id, clv FROM ltv_current ORDER BY clv DESC, customer_id DESC LIMIT 20"
ONE = "SELECT run_id, customer_id, clv FROM ltv_current WHERE customer_id = %s"


def _ask(text: str, *values: int) -> frozenset:
    with connection.cursor() as cursor:
        cursor.execute(text, values)
        return frozenset(cursor.fetchall())


class Readers:
    """One thread for each question, asked all the time; every answer is kept once."""

    def __init__(self, questions: dict[str, tuple]) -> None:
        self.answers: dict[str, set[frozenset]] = {name: set() for name in questions}
        self.times = dict.fromkeys(questions, 0)
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._read, args=item) for item in questions.items()]

    def __enter__(self) -> "Readers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _read(self, name: str, question: tuple) -> None:
        while not self._stop.is_set():
            self.answers[name].add(_ask(*question))
            self.times[name] += 1
        connections.close_all()


@pytest.mark.django_db(transaction=True)
def test_readers_during_ten_publishes_get_each_answer_from_one_whole_night(now, shop):
    people = CustomerFactory.create_batch(40)
    for number, customer in enumerate(people):
        PurchaseFactory(customer=customer, purchased_at=now - timedelta(days=number + 1))
    rule = {"all": [{"trait": "ltv.recency_days", "op": "<", "value": LATELY}]}
    segments.create_segment(key="lately", name="Lately", rule=rule)
    questions = {"totals": (TOTALS,), "list": (BEST,), "one": (ONE, people[7].pk), "members": (MEMBERS,)}
    night.run_due(clock=lambda: now)
    whole = {name: {_ask(*question)} for name, question in questions.items()}

    with Readers(questions) as readers:
        for day in range(1, 11):
            PurchaseFactory(customer=people[-day], purchased_at=now + timedelta(days=day - 1))
            night.run_due(clock=lambda day=day: now + timedelta(days=day))
            for name, question in questions.items():
                whole[name].add(_ask(*question))

    assert LtvRun.objects.count() == 11
    assert min(readers.times.values()) > 40
    for name, answers in readers.answers.items():
        assert {len({row[0] for row in answer}) for answer in answers} == {1}, f"{name}: two nights in one"
        assert answers <= whole[name], f"{name}: an answer that no night as a whole gives"
        assert len(answers) > 5, f"{name}: it was over too soon to tell"
    assert {adds_up for answer in readers.answers["totals"] for _run, adds_up in answer} == {True}
    assert max(row[2] for answer in readers.answers["members"] for row in answer) < LATELY
