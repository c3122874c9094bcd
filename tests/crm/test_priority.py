"""Giving way: a long job stands back from whoever waits for an answer, and comes forward again."""

import os

import pytest
from django.db import connection

from crm.common import priority

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(os.geteuid() != 0, reason="who is not root may not come forward again, and so stays"),
]


def nice(process: int = 0) -> int:
    return os.getpriority(os.PRIO_PROCESS, process)


def test_thread_and_server_process_stand_back_while_the_block_runs():
    connection.ensure_connection()
    backend, before = connection.connection.info.backend_pid, nice()

    with priority.giving_way():
        during = nice(), nice(backend)

    assert during == (max(before, priority.BEHIND), max(before, priority.BEHIND))
    assert nice() == before
    assert nice(backend) < priority.BEHIND or before >= priority.BEHIND


def test_they_come_forward_again_when_the_job_fails():
    before = nice()

    with pytest.raises(ValueError, match="a job"), priority.giving_way():
        raise ValueError("a job")

    assert nice() == before


def test_a_process_that_is_not_postgresql_is_left_alone(monkeypatch):
    """On another host the number of the server's process may be anybody's here."""
    monkeypatch.setattr(type(connection.connection.info), "backend_pid", os.getppid())
    before = nice(os.getppid())

    with priority.giving_way():
        assert nice(os.getppid()) == before
