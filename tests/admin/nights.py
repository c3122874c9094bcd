"""Runs of the night as they stand in the database, for the pages that show them."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from crm.common.choices import JobState, StageState
from crm.common.models import JobRun, JobStage
from ltv.services.night import JOB
from tests.factories import LtvRunFactory

SECONDS = {"summaries": 4, "predictions": 3, "figures": 5, "checks": 1, "publish": 2, "tidy": 1}
WORKER = "night-1:4211"


def a_night(
    on: date,
    *,
    began: datetime,
    failed_at: str = "",
    running: str = "",
    error: str = "ltv.services.gates.GateRefused: revenue 10 against 11 in the summaries",
    customers: int = 0,
    revenue: Decimal = Decimal(1000),
    **run: Any,
) -> JobRun:
    """A run with its stages: done, or broken off at ``failed_at``, or at work on ``running``."""
    state = JobState.FAILED if failed_at else JobState.RUNNING if running else JobState.DONE
    ended = began + timedelta(seconds=sum(SECONDS.values()))
    made = JobRun.objects.create(
        job=JOB,
        business_date=on,
        state=state,
        requested_at=began,
        started_at=began,
        finished_at=None if running else ended,
        error=f"Traceback\n  line\n{error}\n" if failed_at else "",
        **{"attempts": 1, **run},
    )
    _stages(made, began, failed_at or running, state, error)
    if customers and state == JobState.DONE:
        LtvRunFactory(
            as_of=on, job=made, state="published", published_at=ended, currency="USD",
            customers=customers, buyers=customers // 2, revenue=revenue, clv=revenue / 2,
        )  # fmt: skip
    return made


def _stages(run: JobRun, began: datetime, broken: str, state: JobState, error: str) -> None:
    """Those before ``broken`` are done, it is as ``state`` says, those after it wait."""
    at, reached = began, False
    for place, (name, seconds) in enumerate(SECONDS.items()):
        facts: Mapping[str, Any] = {"done": 1000, "total": 1000, "attempts": 1, "worker": WORKER}
        if reached:
            JobStage.objects.create(run=run, place=place, name=name)
            continue
        reached = name == broken
        ended = at + timedelta(seconds=seconds)
        how = StageState.DONE if not reached else StageState(str(state))
        JobStage.objects.create(
            run=run, place=place, name=name, state=how, started_at=at,
            finished_at=None if how == StageState.RUNNING else ended,
            error=f"Traceback\n{error}" if how == StageState.FAILED else "",
            **{**facts, "done": 0 if reached else 1000},
        )  # fmt: skip
        at = ended


def share_out(stage: JobStage, count: int, *, done: int, workers: tuple[str, ...] = ("a:1", "b:2")) -> None:
    """Cut the stage into parts, the first ``done`` of them done by the workers in turn."""
    for number in range(count):
        began = stage.started_at + timedelta(seconds=number * 0.5)
        facts = {
            "state": StageState.DONE, "worker": workers[number % len(workers)], "rows": 250, "attempts": 1,
            "started_at": began, "finished_at": began + timedelta(seconds=0.9),
        }  # fmt: skip
        stage.parts.create(
            number=number, low=number * 250, high=(number + 1) * 250, **(facts if number < done else {})
        )
