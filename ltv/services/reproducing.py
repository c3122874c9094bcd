"""A past night worked out once more, when staff ask: it comes out the same, or the corrected input is named.

Nothing that readers see is written. Killed anywhere, the next ring begins the check again.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from numpy.typing import NDArray

from crm.common import jobs, sql
from crm.common.errors import DomainError
from crm.common.models import Shop, User
from crm.common.wake import wake
from customers.models import Customer
from ltv.choices import Cause, RunState
from ltv.core.arrays import Ints
from ltv.models import LtvRun, Reproduction
from ltv.services import publishing, recomputing

JOB = "ltv.reproduce"
STAGES = ("read", "value", "compare", "causes")
SECONDS = 900
FIRST = 50  # customers named under each cause
# A write that was under way when the night looked bears an earlier time and was not seen; none takes longer.
UNDER_WAY = timedelta(minutes=10)
CORRECTED = (Cause.PURCHASES, Cause.REFUNDS, Cause.RATES, Cause.FACTS, Cause.MERGED)
CAUSES = np.dtype([("customer_id", "i8"), ("now_id", "i8"), *((cause.value, "i4") for cause in CORRECTED)])


class NotKept(DomainError):
    """There is nothing to compare with."""

    code = "night_not_kept"
    message = _("The figures of this night are not kept whole any more, so there is nothing to compare with.")


class OtherCurrency(DomainError):
    """The ledger is in another base currency now."""

    code = "other_currency"
    message = _("The shop's books are in another currency now than this night's figures.")


def request_check(*, run: LtvRun, by: User | None, now: datetime) -> Reproduction:
    """Staff ask to have a published run checked: a row for the worker, and a ring.

    Raises:
        NotKept: the run was never published, or its table is gone.
        OtherCurrency: what it is to be compared with is in another currency.
    """
    _refuse(run)
    with transaction.atomic():
        job = jobs.request_run(job=JOB, business_date=run.as_of, now=now, by=by)
        asked, _made = Reproduction.objects.get_or_create(run=run, job=job)
        wake(JOB)
    return asked


def run_due(*, clock: Callable[[], datetime]) -> int:
    """Make the checks that staff asked for; returns how many runs ended."""
    return jobs.run_pending(job=JOB, work=lambda progress: _work(progress, clock), clock=clock)


def _refuse(run: LtvRun) -> None:
    if run.state != RunState.PUBLISHED or not publishing.has_table(run):
        raise NotKept
    if run.currency != Shop.current().base_currency:
        raise OtherCurrency


def _work(progress: jobs.Progress, clock: Callable[[], datetime]) -> None:
    progress.plan(STAGES)
    for asked in Reproduction.objects.filter(job=progress.run, checked_at=None).select_related("run"):
        check(asked, progress, clock)


def check(asked: Reproduction, progress: jobs.Progress, clock: Callable[[], datetime]) -> None:
    """Work the run out from the ledger as it is, compare, and say which corrected input explains what differs."""
    run = asked.run
    _refuse(run)
    with progress.stage("read"):
        rows = recomputing.read(run)
        progress.rows = len(rows)
    with progress.stage("value", len(rows)):
        now = recomputing.value(run, rows)
    with progress.stage("compare", run.customers):
        customers, own, expected = _compare(run, now, progress)
        progress.facts = {"run": run.pk, "customers": customers, "differing": len(own) + len(expected)}
    with progress.stage("causes", len(own) + len(expected)), transaction.atomic():
        asked.findings = _findings(run, own, expected)
        asked.customers, asked.differing = customers, len(own) + len(expected)
        asked.checked_at = clock()
        asked.save()
        progress.facts = {found["cause"]: found["customers"] for found in asked.findings}


def _compare(run: LtvRun, now: NDArray[Any], progress: jobs.Progress) -> tuple[int, Ints, Ints]:
    """How many customers were compared, and the ids of those that differ, in order."""
    customers, own, expected = 0, [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for found in recomputing.compare(run, now):
        customers += found.customers
        own.append(found.own)
        expected.append(found.expected)
        progress.advance(customers)
    return customers, np.concatenate(own), np.concatenate(expected)


# -- why ---------------------------------------------------------------------------------------------------------


def _findings(run: LtvRun, own: Ints, expected: Ints) -> list[dict[str, Any]]:
    """Every cause that was found, in the order of ``Cause``."""
    found = _causes(run, own, expected)
    explained = _any(found)
    shared = ~explained & ~np.isin(found["customer_id"], own) & _may_share(run, explained)
    nothing = np.zeros(len(found), dtype=np.int64)
    inputs = {cause: found[cause.value] for cause in CORRECTED}
    groups = {cause: (counts > 0, counts) for cause, counts in inputs.items()}
    groups |= {Cause.SHARED: (shared, nothing), Cause.UNKNOWN: (~explained & ~shared, nothing)}
    named = {
        cause: _finding(cause, found["now_id"][of], counts[of]) for cause, (of, counts) in groups.items()
    }
    named[Cause.ERASED] = _erased(run)
    return [named[cause] for cause in Cause if named[cause]["customers"]]


def _may_share(run: LtvRun, explained: NDArray[np.bool_]) -> bool:
    """Whether a corrected input of some may have moved what is expected of the others."""
    return bool(explained.any()) and recomputing.rests_on_all(run)


def _causes(run: LtvRun, own: Ints, expected: Ints) -> NDArray[Any]:
    """Corrected inputs of each of these customers, in order of id, dtype CAUSES.

    Of writes under way at the cut only where none came later, and the customer's own figures differ.
    """
    since = run.cut_at or run.started_at
    found = _corrected(run, np.union1d(own, expected), since)
    unexplained = ~_any(found) & np.isin(found["customer_id"], own)
    if unexplained.any():
        found[unexplained] = _corrected(run, found["customer_id"][unexplained], since - UNDER_WAY)
    return found


def _corrected(run: LtvRun, customers: Ints, since: datetime) -> NDArray[Any]:
    asked = {"customers": customers.tolist(), "since": since, "as_of": run.as_of}
    with sql.patient(SECONDS, memory_mb=128):
        return sql.copy_out("ltv/reproducing_causes", CAUSES, asked)


def _any(found: NDArray[Any]) -> NDArray[np.bool_]:
    explained = np.zeros(len(found), dtype=bool)
    for cause in CORRECTED:
        explained |= found[cause.value] > 0
    return explained


def _finding(cause: Cause, customers: Ints, inputs: Ints) -> dict[str, Any]:
    first = list(dict.fromkeys(customers.tolist()))[:FIRST]  # two that were merged are one
    return {"cause": cause, "customers": len(customers), "inputs": int(inputs.sum()), "first": first}


def _erased(run: LtvRun) -> dict[str, Any]:
    """Customers of the run whose person was erased since: no cause, for their purchases stay."""
    since = run.cut_at or run.started_at
    erased = Customer.objects.filter(erased_at__gt=since, created_at__lte=since)
    first = list(erased.order_by("pk").values_list("pk", flat=True)[:FIRST])
    return {"cause": Cause.ERASED, "customers": erased.count(), "inputs": 0, "first": first}
