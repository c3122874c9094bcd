"""The night: every customer valued, the run published, segments and campaigns following. One screen.

Each stage commits by itself and can be killed anywhere: the next ring takes the run up from the start, and what
readers see changes only in ``publishing.publish``.
"""

from collections.abc import Callable
from datetime import date, datetime

from crm.common import jobs
from crm.common.models import JobRun, Shop, User
from crm.common.wake import wake
from customers.models import Customer
from ltv.choices import ModelStep, RunState
from ltv.models import LtvRun, PurchaseSummary
from ltv.services import predictions, publishing, summaries

JOB = "ltv.recalculate"
AUDIT_WEEKDAY = 0  # Monday: a full pass, to find what the queue of changes may have missed
REBUILD_ABOVE = 0.4


def request_recalculation(*, by: User | None, now: datetime) -> JobRun:
    """Staff ask for a run now: a row for the worker, and a ring."""
    run = jobs.request_run(job=JOB, business_date=Shop.current().business_date(now), now=now, by=by)
    wake(JOB)
    return run


def run_due(*, clock: Callable[[], datetime]) -> int:
    """Run tonight's valuation if it has not been, then what staff asked for; returns how many runs ended."""
    now = clock()
    jobs.ensure_nightly(job=JOB, business_date=Shop.current().business_date(now), now=now)
    return jobs.run_pending(job=JOB, work=lambda progress: recalculate(progress, clock), clock=clock)


def recalculate(progress: jobs.Progress, clock: Callable[[], datetime]) -> LtvRun:
    """Value every customer as of the run's business date and publish the result.

    Raises:
        GateRefused: the figures do not add up; the last run stays in force.
    """
    shop, as_of = Shop.current(), progress.run.business_date
    publishing.abandon_unfinished()
    previous = LtvRun.objects.filter(state=RunState.PUBLISHED).order_by("-pk").first()
    run = _open_run(shop, as_of, clock())
    customers = Customer.objects.count()
    with progress.stage("summaries"):
        progress.rows = _summarise(run, previous, customers)
    with progress.stage("predictions"):
        progress.rows = _predict(run, previous)
    with progress.stage("figures", customers):
        progress.rows = publishing.build(run, shop)
        publishing.attach(run)
    with progress.stage("checks", customers):
        _record_totals(run)
    with progress.stage("publish", customers):
        publishing.publish(run, clock())
    with progress.stage("tidy"):
        progress.rows = publishing.drop_old()
    return run


def _open_run(shop: Shop, as_of: date, now: datetime) -> LtvRun:
    return LtvRun.objects.create(
        as_of=as_of,
        currency=shop.base_currency,
        margin_rate=shop.margin_rate,
        discount_rate=shop.annual_discount_rate,
        retention_months=shop.retention_months,
        started_at=now,
    )


def _summarise(run: LtvRun, previous: LtvRun | None, customers: int) -> int:
    """A refresh of what changed, or the full pass where only that is right, or cheaper."""
    full = (
        previous is None
        or previous.margin_rate != run.margin_rate
        or previous.as_of > run.as_of
        or (run.as_of.weekday() == AUDIT_WEEKDAY and previous.as_of < run.as_of)
        or not PurchaseSummary.objects.exists()
        or summaries.marked_share(customers) > REBUILD_ABOVE
    )
    if not full:
        return summaries.refresh(as_of=run.as_of, margin_rate=run.margin_rate)
    return summaries.rebuild(as_of=run.as_of, margin_rate=run.margin_rate).corrected


def _predict(run: LtvRun, previous: LtvRun | None) -> int:
    found = predictions.read_summaries(run)
    fitted = predictions.fit(found, previous)
    run.step, run.parameters = fitted.step, fitted.as_json()
    if fitted.step == ModelStep.FORMULA and previous and previous.parameters:
        run.parameters = previous.parameters  # kept, so that a bad night does not forget the last good fit
    run.step_reason = "; ".join(fitted.reasons)[:300]
    run.save(update_fields=["step", "parameters", "step_reason"])
    return predictions.store(predictions.predict(run, found, fitted))


def _record_totals(run: LtvRun) -> None:
    found = publishing.check(run)
    run.customers, run.buyers = found["customers"], found["with_orders"]
    run.revenue, run.expected_value, run.clv = found["revenue"], found["expected_value"], found["clv"] or 0
    run.figures = publishing.figures(run)
    run.save(update_fields=["customers", "buyers", "revenue", "expected_value", "clv", "figures"])
