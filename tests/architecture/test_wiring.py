"""Who hears whom: the bells and the events of the whole product, each on one screen."""

import ast
import importlib
from pathlib import Path

from django.dispatch import Signal

from crm.celery import app
from tests.architecture.rules import APPS, called, sources

CHECKOUT = Path(__file__).resolve().parent.parent.parent

# Every event and all that happens because of it. A new line here is a decision.
RECEIVERS: dict[str, set[str]] = {
    "customers.consent_withdrawn": {"campaigns.stop_mail_without_consent"},
    "customers.customer_email_changed": {"campaigns.stop_mail_to_old_address"},
    "customers.customers_merged": {
        "feedback.move_answers",
        "ltv.drop_merged_summary",
        "campaigns.move_ledger",
    },
    "customers.customer_erased": {"feedback.forget_words", "campaigns.forget_addresses"},
    "customers.purchase_recorded": set(),
    "customers.segments_changed": {"campaigns.enrol_entrants"},
    "feedback.survey_answered": {"campaigns.note_answer"},
    "ltv.forecast_judged": {"campaigns.enrol_who_waited"},
    "ltv.run_published": set(),
    "campaigns.coupon_redeemed": set(),
}


def _events() -> dict[str, Signal]:
    return {
        f"{app_name}.{name}": event
        for app_name in APPS
        for name, event in vars(importlib.import_module(f"{app_name}.events")).items()
        if isinstance(event, Signal)
    }


def _heard_by(event: Signal) -> set[str]:
    receivers = event._live_receivers(sender=None)[0]
    return {f"{receiver.__module__.split('.')[0]}.{receiver.__name__}" for receiver in receivers}


def test_every_event_is_heard_by_exactly_these():
    assert {name: _heard_by(event) for name, event in _events().items()} == RECEIVERS


def test_events_only_go_up():
    def height(name: str) -> int:
        return APPS.index(name.split(".")[0])  # lowest first

    down = [(e, r) for e, receivers in RECEIVERS.items() for r in receivers if height(r) < height(e)]

    assert down == []


def _tasks() -> set[str]:
    app.loader.import_default_modules()
    return {name for name in app.tasks if not name.startswith("celery.")}


def test_beat_rings_only_bells_that_exist():
    rung = {entry["task"] for entry in app.conf.beat_schedule.values()}

    assert rung - _tasks() == set()


def test_beat_carries_no_data():
    assert [
        name for name, entry in app.conf.beat_schedule.items() if entry.get("args") or entry.get("kwargs")
    ] == []


def test_services_wake_only_tasks_that_exist():
    rung = {
        call.args[0].value
        for source in sources(CHECKOUT)
        for call in source.calls()
        if called(call) == "wake" and call.args and isinstance(call.args[0], ast.Constant)
    }

    assert rung - _tasks() == set()


def test_tasks_have_the_name_of_their_app():
    owners = {
        name: app.tasks[name].__module__.removesuffix(".tasks").removeprefix("crm.") for name in _tasks()
    }

    assert [name for name, owner in owners.items() if name.split(".")[0] != owner] == []
