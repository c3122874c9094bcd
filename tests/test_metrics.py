"""What Prometheus reads: only with the token, in its text format, with a fixed number of queries."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm import metrics
from tests.admin.nights import a_night, share_out
from tests.factories import CampaignFactory, LtvRunFactory, MessageFactory, PurchaseFactory, publish

NOW = datetime(2026, 3, 20, 3, tzinfo=UTC)
LINE = re.compile(r'^crm_[a-z_]+(\{[a-z]+="(?:[^"\\\n]|\\.)*"\})? -?\d+(\.\d+)?(e[+-]\d+)?$')


@pytest.fixture
def token(settings):
    settings.METRICS_TOKEN = "a long secret"
    return {"Authorization": "Bearer a long secret"}


@pytest.fixture
def read(client, shop, token):
    def figures() -> dict[str, float]:
        answer = client.get("/metrics", headers=token)
        assert answer.status_code == 200
        lines = answer.content.decode().splitlines()
        return {
            name: float(value)
            for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        }

    with time_machine.travel(NOW, tick=False):
        yield figures


def test_without_a_token_in_the_environment_there_is_no_such_page(client, shop, settings):
    settings.METRICS_TOKEN = ""

    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


@pytest.mark.parametrize("sent", ["", "Bearer", "Bearer wrong", "Basic a long secret", "a long secret"])
def test_without_the_token_nothing_is_told(client, db, token, sent):
    answer = client.get("/metrics", headers={"Authorization": sent} if sent else {})

    assert (answer.status_code, answer.content) == (401, b"token\n")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_new_shop_has_empty_queues_and_claims_nothing_else(read):
    assert read() == {
        "crm_changed_purchases_waiting": 0,
        "crm_messages_due": 0,
        "crm_messages_oldest_due_age_seconds": 0,
        "crm_night_parts_waiting": 0,
    }


def test_the_last_good_night_and_the_stages_of_the_newest_run(read):
    a_night(date(2026, 3, 19), began=NOW - timedelta(days=1))
    a_night(date(2026, 3, 20), began=NOW - timedelta(hours=1), failed_at="predictions")

    found = read()

    assert found["crm_night_last_good_date_seconds"] == datetime(2026, 3, 19, tzinfo=UTC).timestamp()
    assert found["crm_night_last_good_age_seconds"] == 86_400 - 16
    states = {name: value for name, value in found.items() if name.startswith("crm_night_run_state")}
    assert states == {
        'crm_night_run_state{state="requested"}': 0,
        'crm_night_run_state{state="running"}': 0,
        'crm_night_run_state{state="done"}': 0,
        'crm_night_run_state{state="failed"}': 1,
    }
    assert found['crm_night_stage_seconds{stage="summaries"}'] == 4
    assert found['crm_night_stage_rows{stage="summaries"}'] == 1000
    assert found['crm_night_stage_seconds{stage="predictions"}'] == 3
    assert 'crm_night_stage_seconds{stage="figures"}' not in found


def test_totals_queues_and_parts(read):
    publish(
        LtvRunFactory(
            customers=9, buyers=7, revenue="12.340", expected_value="5.5", clv="2.25", currency="USD"
        )
    )
    PurchaseFactory.create_batch(2)
    running = CampaignFactory(status="running")
    for minutes in (90, 30, -30):
        MessageFactory(enrolment__campaign=running, campaign=running, due_at=NOW - timedelta(minutes=minutes))
    run = a_night(date(2026, 3, 20), began=NOW, running="summaries")
    share_out(run.stages.get(name="summaries"), 8, done=3)

    found = read()

    assert (found["crm_customers"], found["crm_buyers"]) == (9, 7)
    assert found['crm_revenue_total{currency="USD"}'] == 12.34
    assert found['crm_expected_margin_total{currency="USD"}'] == 2.25
    assert found["crm_changed_purchases_waiting"] == 2
    assert (found["crm_messages_due"], found["crm_messages_oldest_due_age_seconds"]) == (2, 5400)
    assert found["crm_night_parts_waiting"] == 5


def test_the_text_is_prometheus_own_and_asks_as_often_with_many_rows(client, shop, token):
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get("/metrics", headers=token)
        return len(queries)

    publish(LtvRunFactory(customers=1))
    a_night(date(2026, 3, 1), began=NOW)
    few = asked()
    for n in range(2, 12):
        run = a_night(date(2026, 3, n), began=NOW)
        share_out(run.stages.get(name="summaries"), 5, done=2)
        MessageFactory()

    answer = client.get("/metrics", headers=token)

    assert asked() == few <= 8
    assert answer.headers["Content-Type"] == metrics.CONTENT_TYPE
    lines = answer.content.decode().splitlines()
    written = [line for line in lines if not line.startswith("#")]
    assert [line for line in written if not LINE.match(line)] == []
    names = [line.split("{")[0].split(" ")[0] for line in written]
    assert [line.split(" ")[2] for line in lines if line.startswith("# TYPE")] == list(dict.fromkeys(names))


def test_a_label_cannot_break_out_of_its_line():
    (_help, _type, line) = metrics.Gauge("x", "An x", [({"stage": 'a"\\b\nc'}, 1.0)]).written()

    assert line == 'crm_x{stage="a\\"\\\\b\\nc"} 1.0'
