"""A night that was killed or failed goes on where its work stands, and publishes once."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from crm.common import jobs
from crm.common.choices import JobState, StageState
from crm.common.models import JobRun
from customers.models import Customer
from customers.services import merging
from ltv.choices import RunState
from ltv.models import CurrentRun, CustomerLtv, LtvRun
from ltv.services import night, valuing
from tests.factories import CustomerFactory, PurchaseFactory

pytestmark = pytest.mark.django_db
TOMORROW = timedelta(days=1)


@pytest.fixture(autouse=True)
def _customers(shop):
    for customer in CustomerFactory.create_batch(5):
        at = datetime.fromisoformat("2026-01-05T03:00+00:00")
        PurchaseFactory(customer=customer, purchased_at=at, amount=Decimal("100"))


class PowerCut(BaseException):
    """Ends the process's work on the spot: nothing after it writes anything."""


def night_killed_in(stage: str, now, monkeypatch, *, after: bool = False) -> None:
    """A night whose process dies before the work of a stage, or right after it and before its row says so."""
    begin, end = jobs.Progress._begin, jobs.Progress._end

    def dies(progress, name, *args):
        begun = begin(progress, name, *args)
        if name == stage:
            raise PowerCut
        return begun

    def dies_after(progress, *args, **kwargs):
        if progress.row.name == stage:
            raise PowerCut
        end(progress, *args, **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(jobs.Progress, *(("_end", dies_after) if after else ("_begin", dies)))
        with pytest.raises(PowerCut):
            night.run_due(clock=lambda: now)


def night_failed_in(stage: str, now, monkeypatch) -> JobRun:
    """A night whose stage meets an error."""

    def fails(*_args):
        raise ValueError(f"no {stage}")

    with monkeypatch.context() as patched:
        places = {"checks": (night, "_record_totals"), "predictions": (valuing, "fit")}
        patched.setattr(*places[stage], fails)
        night.run_due(clock=lambda: now)
    return JobRun.objects.latest("business_date")


def attempts() -> dict[str, int]:
    run = JobRun.objects.latest("business_date")
    return dict(run.stages.values_list("name", "attempts"))


def states(run: JobRun) -> list[str]:
    return list(run.stages.values_list("state", flat=True))


@pytest.mark.parametrize("stage", night.STAGES)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_night_killed_anywhere_goes_on_there_with_the_same_valuation(now, monkeypatch, stage, after):
    night_killed_in(stage, now, monkeypatch, after=after)
    killed = JobRun.objects.get()

    night.run_due(clock=lambda: now + timedelta(minutes=30))

    done = JobRun.objects.get()
    assert (killed.state, done.state, done.error) == (JobState.RUNNING, JobState.DONE, "")
    assert states(done) == [StageState.DONE] * len(night.STAGES)
    assert LtvRun.objects.filter(state=RunState.PUBLISHED).count() == 1
    assert CustomerLtv.objects.count() == 5
    place = night.STAGES.index(stage)
    assert {n for name, n in attempts().items() if night.STAGES.index(name) < place} <= {1}


def test_the_stages_still_to_come_are_rows_from_the_start(now, monkeypatch):
    night_killed_in("predictions", now, monkeypatch)

    stages = JobRun.objects.get().stages
    assert list(stages.values_list("name", "state")) == [
        ("summaries", "done"),
        ("predictions", "running"),
        ("figures", "waiting"),
        ("checks", "waiting"),
        ("publish", "waiting"),
        ("tidy", "waiting"),
    ]
    at_work = stages.get(name="predictions")
    assert (at_work.worker, at_work.started_at) == (jobs.worker_name(), now)


def test_an_error_marks_its_stage_and_staff_let_the_night_go_on_from_there(now, monkeypatch, staff):
    run = night_failed_in("checks", now, monkeypatch)
    assert (run.state, states(run)[3:]) == (JobState.FAILED, ["failed", "waiting", "waiting"])
    assert run.stages.get(name="checks").error.strip().endswith("ValueError: no checks")

    asked = night.retry(job=run, by=staff, now=now + timedelta(hours=1))
    night.run_due(clock=lambda: now + timedelta(hours=1))

    run.refresh_from_db()
    assert (asked.pk, run.state, run.requested_by) == (run.pk, JobState.DONE, staff)
    assert attempts() == {
        "summaries": 1,
        "predictions": 1,
        "figures": 1,
        "checks": 2,
        "publish": 1,
        "tidy": 1,
    }
    assert CurrentRun.objects.get().run.job == run


@pytest.mark.parametrize("stage", ["summaries", "predictions"])
def test_staff_choose_the_stage_to_begin_again_with(now, monkeypatch, staff, stage):
    run = night_failed_in("checks", now, monkeypatch)

    night.retry(job=run, from_stage=stage, by=staff, now=now)
    waiting = states(run)
    night.run_due(clock=lambda: now)

    assert set(waiting[night.STAGES.index(stage) :]) == {StageState.WAITING}
    assert attempts()["predictions"] == 2
    assert LtvRun.objects.filter(state=RunState.PUBLISHED).count() == 1
    assert CustomerLtv.objects.count() == 5


def test_a_night_begun_again_values_by_the_policy_of_now(now, monkeypatch, shop, staff):
    run = night_failed_in("predictions", now, monkeypatch)
    shop.margin_rate = Decimal("0.5")
    shop.save()

    night.retry(job=run, from_stage="summaries", by=staff, now=now)
    night.run_due(clock=lambda: now)

    assert {row.margin for row in CustomerLtv.objects.all()} == {Decimal("50")}


def test_a_rate_tried_on_a_night_that_failed_leaves_nothing_behind(now, monkeypatch, shop):
    night.run_due(clock=lambda: now)
    shop.margin_rate = Decimal("0.5")
    shop.save()
    night_failed_in("predictions", now + TOMORROW, monkeypatch)
    shop.margin_rate = Decimal("0.3")
    shop.save()

    night.run_due(clock=lambda: now + 2 * TOMORROW)

    assert {row.margin for row in CustomerLtv.objects.all()} == {Decimal("30")}


def test_what_may_not_be_retried(now, monkeypatch, staff):
    failed = night_failed_in("checks", now, monkeypatch)
    with pytest.raises(jobs.NoSuchStage):
        night.retry(job=failed, from_stage="tea", by=staff, now=now)
    night_killed_in("figures", now + TOMORROW, monkeypatch)
    with pytest.raises(jobs.StillOpen):
        night.retry(job=JobRun.objects.latest("business_date"), by=staff, now=now)
    night.run_due(clock=lambda: now + TOMORROW)
    with pytest.raises(jobs.NothingToRetry):
        night.retry(job=JobRun.objects.latest("business_date"), by=staff, now=now)

    with pytest.raises(jobs.Superseded):
        night.retry(job=failed, by=staff, now=now)

    failed.refresh_from_db()
    assert (failed.state, states(failed)[3]) == (JobState.FAILED, StageState.FAILED)


@pytest.mark.parametrize("stage", ["predictions", "checks"])
def test_who_was_merged_after_a_night_failed_is_counted_as_one_when_it_is_retried(
    now, monkeypatch, staff, stage
):
    run = night_failed_in(stage, now, monkeypatch)
    keep, other = Customer.objects.order_by("pk")[:2]
    merging.merge_customers(keep=keep, other=other, by=None, at=now)

    night.retry(job=run, by=staff, now=now)
    night.run_due(clock=lambda: now)

    run.refresh_from_db()
    assert (run.state, run.error) == (JobState.DONE, "")
    assert CustomerLtv.objects.get(customer=keep).revenue == Decimal("200")
    assert CustomerLtv.objects.count() == 4


def test_the_database_refuses_a_second_publication_of_one_run(now):
    night.run_due(clock=lambda: now)
    published = LtvRun.objects.get()

    published.pk = None
    with pytest.raises(IntegrityError, match="ltv_run_published_once_per_job"), transaction.atomic():
        published.save()


def test_a_night_killed_five_times_is_given_up(now, monkeypatch):
    for _attempt in range(jobs.MAX_ATTEMPTS):
        night_killed_in("predictions", now, monkeypatch)

    night.run_due(clock=lambda: now)

    run = JobRun.objects.get()
    assert (run.state, "gave up after 5 attempts" in run.error) == (JobState.FAILED, True)


def test_an_older_night_goes_first_when_two_are_open(now, monkeypatch):
    night_killed_in("figures", now, monkeypatch)

    assert night.run_due(clock=lambda: now + TOMORROW) == 2
    assert CurrentRun.objects.get().run.as_of == date(2026, 3, 3)
