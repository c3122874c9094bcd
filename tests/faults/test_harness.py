"""What the faults are made with must itself leave nothing behind for the tests after it."""

from celery import current_app

from crm.common.redis import client
from tests.faults.harness import Bell

HERE = "heard-by-nobody"


def test_a_bell_of_a_tests_own_leaves_the_projects_bells_where_they_were():
    Bell("redis+socket:///a/valkey/that/is/gone.sock").close()

    current_app.send_task("common.beat_tick", queue=HERE, retry=False)

    assert client().llen(HERE) == 1  # and in the database of this process's tests
    client().delete(HERE)
