"""``python -m benchmarks.night_rings JSON``: nights on the scratch shop, each rung as beat rings, run by real workers.

The calendar is held by ``Shop.frozen_on``, which every process reads, and moves on by a day before each night.
"""

import json
import sys
import time
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import django

django.setup()

import numpy as np  # noqa: E402
from django.db import transaction  # noqa: E402

from benchmarks.night_copy import copy_in, execute, numbered, patient, rows, vacuum_due  # noqa: E402
from benchmarks.night_data import DAY, FIRST_NIGHT, SEED, day_number, one_day  # noqa: E402
from benchmarks.night_load import purchases  # noqa: E402
from benchmarks.night_workers import Worker, ring, working  # noqa: E402
from benchmarks.servers import cpu_seconds, postgres_cpu_seconds  # noqa: E402
from crm.common.choices import JobState  # noqa: E402
from crm.common.models import JobRun, Shop  # noqa: E402
from crm.common.priority import giving_way  # noqa: E402
from ltv.models import CurrentRun  # noqa: E402
from ltv.services import night  # noqa: E402

CHANGED = 0.01
REFUNDS_A_PURCHASE = 0.03
NIGHT_PATIENCE = 3600.0
LOOK_EVERY = 0.1


@dataclass
class Night:
    """Seconds from the ring: until readers see the new figures, and until the job has ended."""

    as_of: str
    begun: float  # on the clock all processes share
    published: float
    done: float
    stages: list[dict[str, Any]] = field(default_factory=list)
    peak_mb: dict[str, float] = field(default_factory=dict)
    cpu: float = 0.0  # seconds of PostgreSQL and the workers
    wal_mb: float = 0.0


def main() -> None:
    asked = json.loads(sys.argv[1])
    patient()
    # who only looks on stands behind the readers, whose waits are measured
    with working(asked["workers"]) as workers, giving_way(whole_process=False):
        nights = [one_night(0, workers)] if asked.get("first", True) else []
        for number in range(asked.get("from", 1), asked.get("from", 1) + asked["nights"]):
            vacuum_due()
            change(number, asked["customers"])
            nights.append(one_night(number, workers))
            say(nights[-1])
    print(json.dumps([vars(one) for one in nights]))


def date_of(number: int) -> date:
    """The business date of a night: days in turn, without the Mondays, on which the weekly audit reads everything."""
    weeks, days = divmod(number, 6)  # the first night is on a Tuesday
    return FIRST_NIGHT + timedelta(days=7 * weeks + days)


def one_night(number: int, workers: list[Worker]) -> Night:
    """Ring, and wait.

    Raises:
        RuntimeError: the night failed, or is not over within an hour.
    """
    as_of = date_of(number)
    Shop.objects.update(frozen_on=as_of)
    for worker in workers:
        worker.reset_peak()
    before = CurrentRun.objects.values_list("run", flat=True).first()
    [(wal,)] = rows("SELECT pg_current_wal_lsn()::text")
    spent = _cpu(workers)
    begun, published = time.monotonic(), 0.0
    ring(night.JOB)
    while (run := _ended(as_of)) is None:
        if not published and CurrentRun.objects.values_list("run", flat=True).first() != before:
            published = time.monotonic() - begun
        if time.monotonic() - begun > NIGHT_PATIENCE:
            raise RuntimeError(f"the night of {as_of} is not over after {NIGHT_PATIENCE:.0f} s")
        time.sleep(LOOK_EVERY)
    done, spent = time.monotonic() - begun, _cpu(workers) - spent
    if run.state != JobState.DONE:
        raise RuntimeError(f"the night of {as_of} failed: {run.error}")
    [(written,)] = rows("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), %s)::float8 / 1e6", wal)
    peaks = {worker.name: worker.peak_mb() for worker in workers}
    return Night(as_of.isoformat(), begun, published or done, done, stages_of(run), peaks, spent, written)


def _cpu(workers: list[Worker]) -> float:
    """Unlike the clock it hardly moves with what else the machine does."""
    return postgres_cpu_seconds() + sum(cpu_seconds(worker.process.pid) for worker in workers)


def _ended(as_of: date) -> JobRun | None:
    runs = JobRun.objects.filter(job=night.JOB, business_date=as_of, occurrence=0)
    return runs.filter(state__in=[JobState.DONE, JobState.FAILED]).first()


def stages_of(run: JobRun) -> list[dict[str, Any]]:
    """Name, seconds and rows of each stage, in order."""
    return [
        {
            "name": stage.name,
            "seconds": (stage.finished_at - stage.started_at).total_seconds(),
            "rows": stage.done,
            "facts": stage.facts,
            "workers": sorted({part.worker for part in stage.parts.all()} or {stage.worker}),
        }
        for stage in run.stages.order_by("place")
        if stage.started_at and stage.finished_at
    ]


@transaction.atomic
def change(number: int, customers: int) -> None:
    """The day before a night: a hundredth of the customers buy, and some goods come back."""
    who, amount = one_day(number, customers, CHANGED * (1 - REFUNDS_A_PURCHASE))
    start = day_number(date_of(number) - timedelta(days=1)) * DAY
    at = start + np.linspace(0, DAY - 1, len(who)).astype(np.int64)
    orders = numbered(f"N{number:03d}-".encode(), np.arange(len(who)))
    copy_in("customers_purchase", {**purchases(who, at, amount, cost=True), "external_id": orders})
    [(highest,)] = rows("SELECT max(id) FROM customers_purchase")
    back = np.random.default_rng([SEED, 2, number]).integers(
        1, highest, int(REFUNDS_A_PURCHASE * len(who)) + 1
    )
    execute(
        "INSERT INTO customers_refund (purchase_id, external_id, refunded_at, amount, reason, recorded_at)"
        " SELECT id, %s, now(), amount, '', now() FROM customers_purchase"
        " WHERE id = ANY(%s) AND refunded = 0 AND amount > 0",
        f"N{number}",
        [int(one) for one in np.unique(back)],
    )


def say(one: Night) -> None:
    """Progress, for whoever waits."""
    print(f"  night of {one.as_of}: {one.published:.1f} s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
