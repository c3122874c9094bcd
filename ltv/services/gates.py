"""What must be true of a run's figures before readers see them; otherwise the last ones stay in force."""

from collections.abc import Iterator
from datetime import timedelta
from statistics import median
from typing import Any

from django.utils.translation import gettext_lazy as _
from psycopg.sql import Identifier

from crm.common import sql
from crm.common.errors import DomainError
from ltv.choices import RunState
from ltv.models import LtvRun
from ltv.services.publishing import table_name

DAYS = 14  # nights a run is held against
ENOUGH_NIGHTS, ENOUGH_BUYERS = 5, 200  # fewer nights say little of what is usual, few buyers move by chance
USUAL = 2.0  # factor either way from the median, per buyer
LOST = 0.9  # of the revenue of all time; more than a tenth of it does not go in a night


class GateRefused(DomainError):
    """The new figures contradict the facts they were made from, or everything usual; yesterday's stay in force."""

    code = "gate_refused"
    message = _("The new figures do not add up; the last ones stay in force.")


def check(run: LtvRun) -> dict[str, Any]:
    """Hold the run's table against the facts and against the last nights; returns its totals.

    Every buyer must be there, and revenue must add up to the cent: by run, by customer and by day of the ledger. What
    is merely unusual is refused at night; a person who asks for the run has looked, and gets it.

    Raises:
        GateRefused: it does not hold.
    """
    found = sql.rows(
        "ltv/partition_gates", {"as_of": run.as_of}, {"partition": Identifier(table_name(run.pk))}
    )[0]
    problems = list(_sums(found))
    if not (run.job and run.job.requested_by_id):
        problems += _drift(run, found)
    if problems:
        raise GateRefused("; ".join(problems))
    return found


def _sums(found: dict[str, Any]) -> Iterator[str]:
    if found["buyers"] != found["summaries"]:
        yield f"{found['buyers']} predictions for {found['summaries']} buyers"
    for other in ("summary", "ledger"):
        if found["revenue"] != found[f"{other}_revenue"]:
            yield f"revenue {found['revenue']} against {found[f'{other}_revenue']} in the {other}"


def _drift(run: LtvRun, found: dict[str, Any]) -> Iterator[str]:
    """What differs from the last nights by more than a shop changes in one."""
    recent = list(_recent(run))
    if len(recent) < ENOUGH_NIGHTS or recent[0].buyers < ENOUGH_BUYERS:
        return
    if found["revenue"] < LOST * float(recent[0].revenue):
        yield f"revenue fell from {recent[0].revenue} to {found['revenue']} in one night"
    for name, words in (("clv", "expected margin"), ("expected_value", "expected revenue")):
        usual = median(float(getattr(night, name)) / max(night.buyers, 1) for night in recent)
        now = float(found[name]) / max(found["buyers"], 1)
        if usual > 0 and not usual / USUAL <= now <= usual * USUAL:
            yield f"{words} per buyer is {now:.2f}, over the last {len(recent)} nights it was {usual:.2f}"


def _recent(run: LtvRun) -> Any:
    """The published runs of the days before, the newest first, on the same rates and in the same currency."""
    return LtvRun.objects.filter(
        state=RunState.PUBLISHED,
        as_of__gte=run.as_of - timedelta(days=DAYS),
        as_of__lt=run.as_of,
        currency=run.currency,
        margin_rate=run.margin_rate,
        discount_rate=run.discount_rate,
        buyers__gt=0,
    ).order_by("-as_of", "-pk")
