"""The weekly check of the forecast on the shop's own past, and what follows from its verdict. One screen.

Once per business week, soon after Monday begins, caught up when missed; staff may ask for more. Nothing but the last
stage writes, and that all at once: a check killed anywhere is made again by the next ring.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from django.db import transaction
from django.db.models import Count, Sum
from django.utils.translation import gettext_lazy as _

from crm.common import jobs, sql
from crm.common.errors import DomainError, InvalidInput
from crm.common.models import JobRun, Shop, User
from crm.common.wake import wake
from ltv.choices import Light
from ltv.core import backtest, champion, scorecard, summary, verdict
from ltv.core.backtest import Backtest
from ltv.events import forecast_judged
from ltv.models import CurrentRun, PurchaseSummary, ReportCard

JOB = "ltv.backtest"
STAGES = ("read", "backtest", "verdict")
HORIZON = 90  # days: as far as the risk on the screens looks
IN_USE = "bgnbd"  # what the night's predictions stand on, with amounts learnt from repeat purchase days
# Enough for every figure of a card within a few per mille. Two million purchase days took 41 s of CPU and 563 MB.
MOST_CUSTOMERS = 200_000
MOST_DAYS = 2_000_000
SECONDS = 300
DAYS = np.dtype([("customer_id", "i8"), ("day", "i4"), ("net", "f8")])
EPOCH = date(1970, 1, 1)


class NothingToAllow(DomainError):
    """Only the newest verdict can be overruled, and only while it forbids something."""

    code = "nothing_to_allow"
    message = _("The newest check does not forbid anything.")


@dataclass(frozen=True)
class Sample:
    """Purchase days of ``customers`` of the shop's ``buyers``, to the end of the day ``end`` (from 1970-01-01)."""

    log: summary.Log
    customers: int
    buyers: int
    end: int


def request_check(*, by: User | None, now: datetime) -> JobRun:
    """Staff ask for a check now: a row for the worker, and a ring."""
    week = week_of(Shop.current().business_date(now))
    run = jobs.request_run(job=JOB, business_date=week, now=now, by=by)
    wake(JOB)
    return run


def run_due(*, clock: Callable[[], datetime]) -> int:
    """Make this week's check if it has not been, then what staff asked for; returns how many runs ended.

    Before the first night there is no forecast to check.
    """
    now = clock()
    if CurrentRun.objects.exists():
        jobs.ensure_nightly(job=JOB, business_date=week_of(Shop.current().business_date(now)), now=now)
    return jobs.run_pending(job=JOB, work=lambda progress: check(progress, clock), clock=clock)


def check(progress: jobs.Progress, clock: Callable[[], datetime]) -> ReportCard:
    """Hold the forecast against what happened next, as known at the end of the day before the run's."""
    shop = Shop.current()
    as_of = _as_of(progress.run, shop)
    progress.plan(STAGES)
    with progress.stage("read"):
        sample = _read(as_of, today=clock().astimezone(shop.zone).date())
        progress.rows = len(sample.log.days)
        progress.facts = {"customers": sample.customers, "buyers": sample.buyers}
    with progress.stage("backtest"):
        days = backtest.origins(sample.log, HORIZON, sample.end)
        found = backtest.backtest(sample.log, days, HORIZON, sample.end)
        progress.rows = len(found.checks)
    with progress.stage("verdict"), transaction.atomic():
        return _keep(progress.run, shop, as_of, sample, found, clock())


@transaction.atomic
def allow(*, card: ReportCard, reason: str, by: User, at: datetime) -> ReportCard:
    """The owner lets predictions drive offers in spite of a red verdict, until the next one.

    Raises:
        NothingToAllow: the card is not the newest, not red, or allowed already.
        InvalidInput: no reason.
    """
    reason = reason.strip()
    if not reason or len(reason) > 300:
        raise InvalidInput(_("A reason of 1 to 300 characters is needed."), field="reason")
    newest = ReportCard.objects.order_by("-pk").values("pk")[:1]
    red = ReportCard.objects.filter(pk=card.pk, pk__in=newest, light=Light.RED, allowed_at=None)
    if not red.update(allowed_at=at, allowed_by=by, allowed_reason=reason):
        raise NothingToAllow
    card.refresh_from_db()
    forecast_judged.send(sender=ReportCard, card=card, at=at)
    return card


def week_of(day: date) -> date:
    """The Monday it belongs to."""
    return day - timedelta(days=day.weekday())


def _as_of(run: JobRun, shop: Shop) -> date:
    """The week's own check is as of its Monday whenever it runs; what staff ask for is as of that day."""
    return shop.business_date(run.requested_at) if run.requested_by_id else run.business_date


def _read(as_of: date, today: date) -> Sample:
    known = PurchaseSummary.objects.aggregate(buyers=Count("pk"), days=Sum("days"))
    by_days = MOST_DAYS * known["buyers"] // max(known["days"] or 0, 1)
    with sql.patient(SECONDS, memory_mb=128):
        sql.know_sizes()
        limits = {"customers": min(MOST_CUSTOMERS, by_days), "as_of": as_of, "today": today}
        rows = sql.copy_out("ltv/backtest_days", DAYS, limits)
    log = summary.purchase_log(rows["customer_id"], rows["day"], rows["net"])
    return Sample(log=log, customers=len(log.customers), buyers=known["buyers"], end=(as_of - EPOCH).days - 1)


def _keep(run: JobRun, shop: Shop, as_of: date, sample: Sample, found: Backtest, now: datetime) -> ReportCard:
    """The card, in place of one that a killed check of the same run left, and those who wait for it told."""
    in_use, best = champion.in_use(found, IN_USE), champion.choose(found)
    said = verdict.judge(found, in_use)
    findings = [{"code": one.code, "light": one.light, "values": one.values} for one in said.findings]
    facts = {
        "as_of": as_of,
        "light": said.light,
        "findings": findings,
        "model": IN_USE,
        "champion": best.name if best else "",
        "horizon_days": HORIZON,
        "checks": in_use.origins if in_use else 0,
        "customers": min(sample.customers, sample.buyers),
        "buyers": sample.buyers,
        "currency": shop.base_currency,
        "scores": scorecard.figures(found, in_use),
        "created_at": now,
        "allowed_at": None,
        "allowed_by": None,
        "allowed_reason": "",
    }
    card, _made = ReportCard.objects.update_or_create(run=run, defaults=facts)
    forecast_judged.send(sender=ReportCard, card=card, at=now)
    return card
