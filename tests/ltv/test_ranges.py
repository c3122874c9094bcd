"""A night's figures range by range: whoever values a range, everybody's figures are those of one whole."""

from datetime import date, datetime, timedelta

import pytest
from django.db import connection

from crm.common.models import JobPart
from ltv.choices import ModelStep, RunState
from ltv.core import uncertainty
from ltv.models import CurrentRun, CustomerLtv, LtvRun
from ltv.services import night, publishing, sharing, valuing
from ltv.services.scales import Scales
from tests.factories import PurchaseFactory
from tests.ltv.test_night import a_base_of, buy, run_night

pytestmark = pytest.mark.django_db
CUSTOMERS = 260  # enough for a model of their own


@pytest.fixture(autouse=True)
def _shop(shop):
    return shop


class PowerCut(BaseException):
    """The process is gone: nothing that it would still have done is done."""


def ranges_of(customers: int, monkeypatch) -> None:
    monkeypatch.setattr(valuing, "PART", customers)
    monkeypatch.setattr(uncertainty, "MATTERS_UP_TO", 0)  # as in a shop of thousands


def again(now: datetime) -> LtvRun:
    """The same day valued once more."""
    night.request_recalculation(by=None, now=now)
    return run_night(now)


def ranges(run: LtvRun) -> list[JobPart]:
    return list(JobPart.objects.filter(stage__run=run.job, stage__name="figures").order_by("number"))


def figures(run: LtvRun) -> list[tuple]:
    """Every column of every row but the run's number."""
    names = ", ".join(f'"{name}"' for name in publishing.COLUMNS if name != "run_id")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {names} FROM {publishing.table_name(run.pk)} ORDER BY customer_id")
        return [tuple(map(to_ten_digits, row)) for row in cursor.fetchall()]


def to_ten_digits(value):
    return float(f"{value:.10g}") if isinstance(value, float) else value  # sums end in chance


def test_ranges_say_of_everybody_what_one_whole_says(now, monkeypatch):
    base = a_base_of(CUSTOMERS)
    ranges_of(1_000, monkeypatch)
    run_night(now)
    for customer in base[::9]:
        buy(customer, date(2026, 3, 2))
    tomorrow = now + timedelta(days=1)
    run_night(tomorrow)
    whole = again(tomorrow)
    LtvRun.objects.filter(pk=whole.pk).update(
        state=RunState.ABANDONED, published_at=None
    )  # both start from one
    ranges_of(40, monkeypatch)

    cut = again(tomorrow)

    assert cut.step == ModelStep.OWN_FIT
    assert len(ranges(cut)) == 7
    assert figures(cut) == figures(whole)
    assert cut.figures["deciles"] == whole.figures["deciles"]
    assert (cut.clv, cut.revenue, cut.buyers) == (whole.clv, whole.revenue, whole.buyers)


def test_a_customers_row_is_looked_for_in_one_range(now, monkeypatch):
    base = a_base_of(CUSTOMERS)
    ranges_of(40, monkeypatch)
    run = run_night(now)

    with connection.cursor() as cursor:
        cursor.execute(
            f"EXPLAIN SELECT * FROM {publishing.table_name(run.pk)} WHERE customer_id = {base[100].pk}"
        )
        plan = "\n".join(row[0] for row in cursor.fetchall())

    assert plan.count(f"{publishing.table_name(run.pk)}_p") >= 1
    assert len({word for word in plan.split() if word.startswith(f"{publishing.table_name(run.pk)}_p")}) <= 2
    assert CustomerLtv.objects.get(pk=base[100].pk).run_id == run.pk


def test_ranges_valued_before_a_kill_stand_and_the_others_follow(now, monkeypatch):
    a_base_of(CUSTOMERS)
    ranges_of(40, monkeypatch)
    build = publishing.build

    def dies_at_the_fourth(run, part, blocks, *, alone):
        if part.number == 3:
            raise PowerCut
        return build(run, part, blocks, alone=alone)

    with monkeypatch.context() as patched:
        patched.setattr(publishing, "build", dies_at_the_fourth)
        with pytest.raises(PowerCut):
            night.run_due(clock=lambda: now)
    night.run_due(clock=lambda: now + timedelta(minutes=30))

    run = CurrentRun.objects.get().run
    assert [part.attempts for part in ranges(run)] == [1, 1, 1, 2, 1, 1, 1]
    assert CustomerLtv.objects.count() == CUSTOMERS == run.customers


def test_a_bell_that_comes_late_changes_nothing(now, monkeypatch):
    a_base_of(CUSTOMERS)
    ranges_of(40, monkeypatch)
    run = run_night(now)
    before = figures(run)

    assert [sharing.take_part(clock=lambda: now) for _bell in range(3)] == [0, 0, 0]
    assert figures(run) == before


def test_without_a_model_everybody_is_valued_together(now, monkeypatch):
    """What is usual in the shop stands in for the parameters, so nobody can be left out of sight."""
    a_base_of(5)
    ranges_of(2, monkeypatch)

    run = run_night(now)

    assert run.step == ModelStep.FORMULA
    assert len(ranges(run)) == 1


def test_a_customer_of_a_kind_nobody_was_when_the_scales_were_found_is_valued_too(now, monkeypatch):
    """A customer merged in between has more purchases than anybody before."""
    base = a_base_of(CUSTOMERS)
    ranges_of(1_000, monkeypatch)
    run_night(now)
    PurchaseFactory.create_batch(40, customer=base[0])

    run = run_night(now + timedelta(days=1))

    assert CustomerLtv.objects.get(pk=base[0].pk).expected_value_high is not None
    assert run.customers == CUSTOMERS


def test_the_scales_of_a_run_from_before_may_hold_what_buyers_span():
    run = LtvRun(scales={"cac": {"1": 7}, "reach": {"labels": [0.0], "centres": [0.0]}})

    assert Scales.of_run(run) == Scales(cac={"1": 7})
