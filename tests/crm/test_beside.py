"""A question asked by ranges, on connections of their own."""

import time

import pytest
from django.db import OperationalError, connection

from crm.common import sql
from crm.common.beside import side_by_side

pytestmark = pytest.mark.django_db(transaction=True)
SETTINGS = "SELECT current_setting('statement_timeout'), current_setting('lock_timeout'), current_setting('work_mem')"
OTHERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


def first(text: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(text)
        return cursor.fetchone()[0]


def backend(_question: int) -> object:
    return first("SELECT pg_backend_pid()")


def test_one_question_is_asked_where_the_caller_is():
    assert side_by_side(backend, [1]) == [backend(1)]
    assert side_by_side(backend, []) == []


def test_several_are_asked_on_other_connections_two_at_once_and_answered_in_their_order():
    def slowly(question: int) -> tuple[int, object, object]:
        began = first("SELECT clock_timestamp()")
        time.sleep(0.2)
        return question, began, first("SELECT pg_backend_pid()")

    answers = side_by_side(slowly, [1, 2, 3])

    (one, two, three) = (began for _question, began, _backend in answers)
    assert [question for question, _began, _backend in answers] == [1, 2, 3]
    assert abs(two - one).total_seconds() < 0.2 <= (three - min(one, two)).total_seconds()
    assert backend(0) not in {where for _question, _began, where in answers}


def test_the_callers_limits_hold_for_each():
    def limits(_question: int) -> tuple[str, str, str]:
        with connection.cursor() as cursor:
            cursor.execute(SETTINGS)
            return cursor.fetchone()

    with sql.patient(600, memory_mb=256):
        assert side_by_side(limits, [1, 2]) == [("10min", "10s", "256MB")] * 2


def test_after_a_failure_nothing_more_is_asked():
    asked = []

    def ask(question: int) -> None:
        asked.append(question)
        if question == 0:
            raise ValueError("no answer")
        time.sleep(0.3)

    with pytest.raises(ValueError, match="no answer"):
        side_by_side(ask, range(6))

    assert sorted(asked) in ([0], [0, 1])


def test_a_failure_is_the_callers_and_no_connection_stays():
    before = first(OTHERS)

    with sql.patient(1), pytest.raises(OperationalError, match="statement timeout"):
        side_by_side(lambda seconds: first(f"SELECT pg_sleep({seconds})"), [0, 30])

    assert first(OTHERS) <= before
