"""Columns into PostgreSQL by binary COPY: every number arrives as it was, NULL as NULL."""

import numpy as np
import pytest
from django.db import connection

from crm.common.columns import BLOCK, Column, copy_columns

pytestmark = pytest.mark.django_db


@pytest.fixture
def table():
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE arriving (id bigint, money bigint, share real, day date, score smallint)"
        )
    return "arriving"


def copy(table, columns):
    return copy_columns(table, tuple(columns), [columns])


def rows(table):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} ORDER BY id")
        return cursor.fetchall()


def test_whole_numbers_arrive_exactly_whatever_their_size_and_sign(table):
    amounts = [0, 1, -1, 999, 1_000, -1_001, 10_000_000, 123_456_789_012_345_678, 2**63 - 1, -(2**63)]

    copy(table, {"id": Column(np.arange(10)), "money": Column(np.array(amounts))})

    assert [money for _id, money, *_rest in rows(table)] == amounts


def test_each_row_has_its_own_nulls(table):
    missing = np.array([[False, False], [True, False], [False, True], [True, True]])
    columns = {
        "id": Column(np.arange(4)),
        "money": Column(np.arange(4) * 500, missing[:, 0]),
        "share": Column(np.array([0.5, 1.5, 2.5, 3.5], dtype="f4"), missing[:, 1]),
        "day": Column(np.array([0, 1, -1, 366], dtype="i4")),
        "score": Column(np.array([1, 2, 3, 4], dtype="i2"), ~missing[:, 0]),
    }

    assert copy(table, columns) == 4

    found = [(money, share, day.isoformat(), score) for _id, money, share, day, score in rows(table)]
    assert found == [
        (0, 0.5, "2000-01-01", None),
        (None, 1.5, "2000-01-02", 2),
        (1_000, None, "1999-12-31", None),
        (None, None, "2001-01-01", 4),
    ]


def test_more_rows_than_a_block_arrive_all_and_in_order(table):
    count = 2 * BLOCK + 7

    blocks = (
        {"score": Column(np.ones(size, dtype="i2")), "id": Column(np.arange(size) + start)}
        for start, size in ((0, BLOCK), (BLOCK, BLOCK), (2 * BLOCK, 7))
    )
    copy_columns(table, ("id", "score"), blocks)

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), min(id), max(id), sum(score) FROM arriving")
        assert cursor.fetchone() == (count, 0, count - 1, count)


def test_no_rows_are_no_rows(table):
    assert copy_columns(table, ("id",), []) == 0
    assert copy(table, {"id": Column(np.empty(0, dtype=np.int64))}) == 0
