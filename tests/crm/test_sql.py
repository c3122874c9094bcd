"""The runner of hand-written SQL."""

import psycopg
from django.db import connection

from crm.common import sql
from customers.services import imports
from tests.customers.importing import HEADER, checked
from tests.factories import CustomerFactory


def _autovacuum_passes(table: str) -> None:
    """Statistics taken by somebody who cannot see what this test's transaction has written."""
    given = connection.get_connection_params()
    where = {key: given[key] for key in ("host", "port", "user", "password", "dbname") if given.get(key)}
    with psycopg.connect(**where, autocommit=True) as other:
        other.execute(f"ANALYZE {table}")


def _believed(table: str) -> float:
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE relname = %s", [table])
        return cursor.fetchone()[0]


def test_a_table_counted_while_it_was_being_filled_is_counted_again(db):
    CustomerFactory.create_batch(40)
    _autovacuum_passes("customers_customer")
    assert _believed("customers_customer") == 0

    sql.know_sizes()

    assert _believed("customers_customer") == 40


def test_an_import_does_not_trust_such_a_count(shop, now):
    CustomerFactory.create_batch(40)
    _autovacuum_passes("customers_customer")
    batch = checked("\n".join([HEADER, "A-1,C1,,Kim,2026-02-03,5,USD,,"]), now)
    imports.confirm(batch=batch)

    imports.apply(batch=batch, clock=lambda: now)

    assert _believed("customers_customer") >= 40


def test_how_many_rows_are_few_is_counted_and_how_many_are_many_is_what_the_planner_reckons(db, monkeypatch):
    people = CustomerFactory.create_batch(40)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE customers_customer")
    people[0].delete()

    exactly = sql.about("customers_customer")
    monkeypatch.setattr(sql, "COUNTED", 10)

    assert (exactly, sql.about("customers_customer")) == (39, 40)
