"""The full pass over all summaries: by ranges which any worker takes, each once, whatever becomes of bells and workers."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from crm.common import jobs, parts
from crm.common.choices import StageState
from crm.common.models import JobPart, JobStage
from crm.common.ranges import EVERYONE
from customers.models import PurchaseChange
from ltv import tasks
from ltv.choices import RunState
from ltv.models import LtvRun, PurchaseSummary
from ltv.services import rebuild, sharing, summaries
from tests.factories import CustomerFactory, RefundFactory
from tests.ltv.full_pass import AS_OF, RATE, a_night, buy, buyers, planned, revenue

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _shop(shop):
    return shop


@pytest.fixture(autouse=True)
def _two_customers_a_part(monkeypatch):
    monkeypatch.setattr(rebuild, "PART", 2)


def refresh() -> int:
    return summaries.refresh(as_of=AS_OF, margin_rate=RATE)


def full_pass(now, why: str = "first") -> JobStage:
    """The whole stage by one worker, as the night does it."""
    run, progress = a_night(now)
    with progress.stage("summaries"):
        progress.rows = rebuild.rebuild(run=run, progress=progress, why=why, since=None, clock=lambda: now)
    return JobStage.objects.get()


def counts(stage: JobStage) -> tuple[int, int, int]:
    return stage.facts["corrected"], stage.facts["gone"], stage.facts["missed"]


def test_one_worker_alone_completes_every_part(now):
    made = buyers(5)

    stage = full_pass(now)

    assert revenue() == {customer.pk: Decimal("100") for customer in made}
    assert (stage.state, stage.done, stage.facts["full"], counts(stage)) == ("done", 5, True, (5, 0, 0))
    ranges = list(stage.parts.values_list("low", "high"))
    assert len(ranges) == 3
    assert (ranges[0][0], ranges[-1][1]) == (0, EVERYONE)
    assert [high for _low, high in ranges[:-1]] == [low for low, _high in ranges[1:]]
    assert {part.worker for part in stage.parts.all()} == {stage.worker} == {jobs.worker_name()}


def test_an_audit_finds_nothing_after_refreshes(now):
    for customer in CustomerFactory.create_batch(5):
        buy(customer, date(2026, 1, 5), "100", base_cost=Decimal("33.333"))
        RefundFactory(purchase=buy(customer, date(2026, 1, 9), "70"), amount=Decimal("20"))
    refresh()

    assert counts(full_pass(now, "audit")) == (0, 0, 0)


def test_what_was_marked_before_an_audit_is_no_finding(now):
    made = buyers(3)
    refresh()
    buy(made[0], date(2026, 1, 6), "11")

    stage = full_pass(now, "audit")

    assert revenue()[made[0].pk] == Decimal("111")
    assert (stage.facts["marked"], counts(stage)) == (1, (0, 0, 0))


def test_an_audit_repairs_a_wrong_and_a_stray_summary_and_says_so(now, caplog):
    right, stray = CustomerFactory(), CustomerFactory()
    buy(right, date(2026, 1, 5), "100")
    refresh()
    PurchaseSummary.objects.update(revenue=Decimal("999"))
    facts = {"days": 1, "orders": 1, "first_revenue": 1, "revenue": 1, "margin": 1}
    PurchaseSummary.objects.create(customer=stray, first_day=AS_OF, last_day=AS_OF, **facts)

    stage = full_pass(now, "audit")

    assert revenue() == {right.pk: Decimal("100")}
    assert counts(stage) == (1, 1, 2)
    assert "found 2 summaries" in caplog.text


def test_marks_are_taken_with_the_last_part_and_those_made_meanwhile_stay(now):
    made = buyers(4)
    stage = planned(now)

    sharing.take_part(clock=lambda: now)
    after_one = PurchaseChange.objects.count()
    buy(made[0], date(2026, 1, 6), "11")  # of the part that is done: tonight's figures are without it
    full_pass(now)

    stage.refresh_from_db()
    assert (after_one, stage.attempts, stage.state) == (4, 2, StageState.DONE)
    assert "queue" not in stage.facts
    assert list(PurchaseChange.objects.values_list("customer_id", flat=True)) == [made[0].pk]
    refresh()
    assert revenue()[made[0].pk] == Decimal("111")


def test_purchases_of_today_stay_marked_for_the_next_night(now):
    customer = buyers(1)[0]
    buy(customer, AS_OF, "11")

    full_pass(now)
    refresh()  # as the night does after it

    assert revenue() == {customer.pk: Decimal("100")}
    assert list(PurchaseChange.objects.values_list("customer_id", flat=True)) == [customer.pk]


def test_a_worker_that_takes_a_killed_pass_up_does_only_the_parts_not_done(now):
    buyers(6)
    planned(now)
    sharing.take_part(clock=lambda: now)

    stage = full_pass(now + timedelta(minutes=5))

    assert list(stage.parts.values_list("attempts", flat=True)) == [1, 1, 1]
    assert [part.started_at == now for part in stage.parts.all()] == [True, False, False]
    assert len(revenue()) == 6


def test_a_bell_that_rings_twice_takes_no_part_twice(now):
    buyers(2)
    stage = planned(now)

    taken = [tasks.take_part(), tasks.take_part(), tasks.take_part()]

    assert taken == [1, 0, 0]
    assert list(stage.parts.values_list("state", "attempts", "rows")) == [("done", 1, 2)]


def test_a_bell_that_rings_after_the_stage_ended_changes_nothing(now):
    buyers(2)
    stage = full_pass(now)
    stage.parts.update(state=StageState.WAITING, finished_at=None)
    PurchaseSummary.objects.update(revenue=1)

    assert tasks.take_part() == 0
    assert set(revenue().values()) == {Decimal(1)}


def test_a_bell_that_rings_when_the_valuation_was_given_up_changes_nothing(now):
    buyers(2)
    stage = planned(now)
    LtvRun.objects.update(state=RunState.ABANDONED)

    assert tasks.take_part() == 0
    assert (stage.parts.get().state, revenue()) == (StageState.WAITING, {})


def test_a_part_whose_worker_died_is_taken_over_when_its_lease_has_run_out(now):
    buyers(2)
    stage = planned(now)
    dead = parts._claim(JobPart.objects.all(), now)

    early = sharing.take_part(clock=lambda: now + parts.LEASE - timedelta(seconds=1))
    late = sharing.take_part(clock=lambda: now + parts.LEASE)

    assert (early, late, len(revenue())) == (0, 1, 2)
    with pytest.raises(parts.Late):  # the dead one was only slow
        parts._work_on(dead, lambda _part: parts.Outcome(rows=99), lambda: now)
    assert stage.parts.values_list("attempts", "rows").get() == (2, 2)


def test_a_part_that_fails_is_tried_again_and_then_fails_the_stage(now):
    made = buyers(2)
    refresh()
    planned(now)

    def broken(_part):
        raise ValueError("no such thing")

    for _attempt in range(parts.MAX_ATTEMPTS):
        parts.take(JobPart.objects.all(), work=broken, clock=lambda: now)
    with pytest.raises(RuntimeError, match="part 0 failed 5 times: ValueError: no such thing"):
        full_pass(now)

    stage = JobStage.objects.get()
    assert (stage.state, "no such thing" in stage.error) == (StageState.FAILED, True)
    assert len(revenue()) == len(made)


def test_the_reasons_for_a_full_pass(now):
    def why(**changes) -> str | None:
        LtvRun.objects.filter(pk=last.pk).update(**changes)
        return rebuild.reason(run, progress, customers=100)

    run, progress = a_night(now)
    assert rebuild.reason(run, progress, customers=100) == "first"
    buyers(2)
    refresh()
    last = LtvRun.objects.create(
        as_of=AS_OF - timedelta(days=1), currency="USD", margin_rate=RATE, discount_rate=RATE,
        retention_months=24, started_at=now, state=RunState.ABANDONED,
    )  # fmt: skip

    assert why() == "interrupted"
    assert why(state=RunState.PUBLISHED, published_at=now) == "audit"  # a Monday
    assert why(as_of=AS_OF) is None
    assert why(margin_rate=Decimal("0.4")) == "policy"
    assert why(margin_rate=RATE, as_of=AS_OF + timedelta(days=1)) == "policy"
    buyers(41)
    assert why(as_of=AS_OF) == "many"
