"""A full pass over the summaries, cut into parts, as the tests of it begin one."""

from datetime import date, datetime
from decimal import Decimal

from crm.common import jobs
from crm.common.choices import JobState
from crm.common.models import JobRun, JobStage
from customers.models import Purchase
from ltv.models import LtvRun, PurchaseSummary
from ltv.services import rebuild
from tests.factories import CustomerFactory, PurchaseFactory

AS_OF = date(2026, 3, 2)
RATE = Decimal("0.3")


def buy(customer, day: date, amount: str, **facts) -> Purchase:
    at = datetime.fromisoformat(f"{day}T03:00+00:00")  # noon in Seoul
    return PurchaseFactory(customer=customer, purchased_at=at, amount=Decimal(amount), **facts)


def buyers(count: int) -> list:
    made = CustomerFactory.create_batch(count)
    for customer in made:
        buy(customer, date(2026, 1, 5), "100")
    return made


def a_night(now) -> tuple[LtvRun, jobs.Progress]:
    """A night at work, with its valuation; as a worker takes it up."""
    job, made = JobRun.objects.get_or_create(
        job="ltv.recalculate", business_date=AS_OF,
        defaults={"state": JobState.RUNNING, "attempts": 1, "requested_at": now, "started_at": now},
    )  # fmt: skip
    if made:
        LtvRun.objects.create(
            as_of=AS_OF, job=job, currency="USD", margin_rate=RATE, discount_rate=RATE, retention_months=24,
            started_at=now,
        )  # fmt: skip
    return LtvRun.objects.get(job=job), jobs.Progress(job, lambda: now)


def planned(now, why: str = "first") -> JobStage:
    """The stage cut into parts, before anybody has taken one."""
    run, progress = a_night(now)
    row = progress.stage("summaries").__enter__().row
    rebuild._plan(run, progress, why, None)
    return row


def revenue() -> dict[int, Decimal]:
    return dict(PurchaseSummary.objects.values_list("customer_id", "revenue"))
