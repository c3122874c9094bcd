"""The night: every customer valued, the run published, segments and campaigns following. One screen.

Each stage commits by itself and can be killed anywhere: the next ring takes the run up at the first stage that is not
done (``resuming`` says what still stands), and what readers see changes only in ``publishing.publish``.
"""

from collections.abc import Callable
from datetime import datetime

from crm.common import jobs
from crm.common.models import JobRun, Shop, User
from crm.common.wake import wake
from customers.models import Customer
from ltv.choices import RunState
from ltv.models import LtvRun
from ltv.services import gates, publishing, rebuild, resuming, summaries, valuing

JOB = "ltv.recalculate"
STAGES = ("summaries", "predictions", "figures", "checks", "publish", "tidy")


def request_recalculation(*, by: User | None, now: datetime) -> JobRun:
    """Staff ask for a run now: a row for the worker, and a ring."""
    run = jobs.request_run(job=JOB, business_date=Shop.current().business_date(now), now=now, by=by)
    wake(JOB)
    return run


def retry(*, job: JobRun, from_stage: str | None = None, by: User | None, now: datetime) -> JobRun:
    """Staff let a failed run go on, from a stage of their choice or from the first one not done.

    Raises:
        StillOpen, NothingToRetry, NoSuchStage: see ``jobs.retry``.
        Superseded: a newer run has been published.
    """
    if LtvRun.objects.filter(state=RunState.PUBLISHED, job__in=jobs.later(job)).exists():
        raise jobs.Superseded
    run = jobs.retry(run=job, from_stage=from_stage, by=by, now=now)
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
    shop, customers = Shop.current(), Customer.objects.count()
    progress.plan(STAGES)
    run = resuming.take_up(progress) or _open_run(shop, progress.run, clock())
    earlier = LtvRun.objects.filter(state=RunState.PUBLISHED, pk__lt=run.pk)
    previous = earlier.order_by("-pk").first()
    work: dict[str, Callable[[], int]] = {
        "summaries": lambda: _summarise(run, previous, progress, customers, clock),
        "predictions": lambda: valuing.fit(run, shop, previous),
        "figures": lambda: valuing.build(run, previous, progress, clock),
        "checks": lambda: _record_totals(run),
        "publish": lambda: _publish(run, clock()),
        "tidy": publishing.drop_old,
    }
    for name in STAGES:
        if not progress.is_done(name):
            with progress.stage(name, customers):
                progress.rows = work[name]()
    return run


def _open_run(shop: Shop, job: JobRun, now: datetime) -> LtvRun:
    publishing.abandon_unfinished()
    return LtvRun.objects.create(
        as_of=job.business_date,
        job=job,
        currency=shop.base_currency,
        margin_rate=shop.margin_rate,
        discount_rate=shop.annual_discount_rate,
        retention_months=shop.retention_months,
        started_at=now,
    )


def _summarise(
    run: LtvRun,
    previous: LtvRun | None,
    progress: jobs.Progress,
    customers: int,
    clock: Callable[[], datetime],
) -> int:
    """A refresh of what changed, after the full pass where only that is right, or cheaper."""
    since, rows = summaries.since(previous), 0
    if why := rebuild.reason(run, progress, customers):
        rows = rebuild.rebuild(run=run, progress=progress, why=why, since=since, clock=clock)
    run.cut_at = clock()
    run.save(update_fields=["cut_at"])
    marked = summaries.refresh(as_of=run.as_of, margin_rate=run.margin_rate, since=since)
    if not why:
        progress.facts = {"full": False, "marked": marked}
    return rows or marked


def _publish(run: LtvRun, now: datetime) -> int:
    publishing.publish(run, now)
    return run.customers


def _record_totals(run: LtvRun) -> int:
    found = gates.check(run)
    run.customers, run.buyers = found["customers"], found["buyers"]
    run.revenue, run.expected_value, run.clv = found["revenue"], found["expected_value"], found["clv"]
    run.figures = {**run.figures, "months": publishing.months(run)}
    run.save(update_fields=["customers", "buyers", "revenue", "expected_value", "clv", "figures"])
    return run.customers
