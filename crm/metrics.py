"""Figures for Prometheus: ``/metrics`` in its text format, for whoever has the token. A fixed number of queries."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.db.models import Count, Min
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from campaigns.models import Message
from crm.common.choices import JobState, StageState
from crm.common.models import JobPart, JobRun
from customers.models import PurchaseChange
from ltv import reports
from ltv.services.night import JOB

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
MOST = 1_000_000  # counted of a queue at most: an import of everything must not slow the watching down
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


@dataclass(frozen=True)
class Gauge:
    """One figure, or one for each set of labels. No samples: nothing is known yet, and nothing is written."""

    name: str
    meaning: str
    samples: list[tuple[Mapping[str, str], float]] = field(default_factory=list)

    def written(self) -> Iterator[str]:
        if self.samples:
            yield f"# HELP crm_{self.name} {self.meaning}"
            yield f"# TYPE crm_{self.name} gauge"
        for labels, value in self.samples:
            names = ",".join(f'{key}="{text.translate(_ESCAPES)}"' for key, text in labels.items())
            yield f"crm_{self.name}{f'{{{names}}}' if names else ''} {float(value)!r}"


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """404 without METRICS_TOKEN in the environment, 401 without that token in the request."""
    if not settings.METRICS_TOKEN:
        raise Http404
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not constant_time_compare(token.strip(), settings.METRICS_TOKEN):
        headers = {"WWW-Authenticate": "Bearer"}
        return HttpResponse("token\n", "text/plain", HTTPStatus.UNAUTHORIZED, headers=headers)
    lines = [line for gauge in gauges(timezone.now()) for line in gauge.written()]
    return HttpResponse("\n".join(lines) + "\n", content_type=CONTENT_TYPE)


def gauges(now: datetime) -> list[Gauge]:
    return [*_nights(now), *_last_run(), *_totals(), *_queues(now)]


def _nights(now: datetime) -> list[Gauge]:
    good = (
        JobRun.objects.filter(job=JOB, state=JobState.DONE).order_by("-business_date", "-occurrence").first()
    )
    if good is None or good.finished_at is None:
        return []
    midnight = datetime(good.business_date.year, good.business_date.month, good.business_date.day, tzinfo=UTC)
    age = (now - good.finished_at).total_seconds()
    return [
        _one(
            "night_last_good_date_seconds",
            "Business date of the newest night that ended well, midnight UTC",
            midnight.timestamp(),
        ),
        _one(
            "night_last_good_age_seconds", "Seconds since the newest night that ended well was finished", age
        ),
    ]


def _last_run() -> list[Gauge]:
    runs = JobRun.objects.filter(job=JOB).prefetch_related("stages")
    run = runs.order_by("-business_date", "-occurrence").first()
    if run is None:
        return []
    stages = [stage for stage in run.stages.all() if stage.started_at]
    seconds: list[tuple[Mapping[str, str], float]] = [
        ({"stage": stage.name}, (stage.finished_at - stage.started_at).total_seconds())
        for stage in stages
        if stage.started_at and stage.finished_at
    ]
    return [
        Gauge(
            "night_run_state",
            "1 for the state of the newest run",
            [({"state": str(state)}, float(state == run.state)) for state in JobState.values],
        ),
        _one("night_run_attempts", "How often the newest run was taken up", run.attempts),
        Gauge("night_stage_seconds", "What each stage of the newest run took", seconds),
        Gauge(
            "night_stage_rows",
            "Rows of each stage of the newest run",
            [({"stage": stage.name}, stage.done) for stage in stages],
        ),
    ]


def _totals() -> list[Gauge]:
    run = reports.current_run()
    if run is None:
        return []
    currency = {"currency": run.currency}
    return [
        _one("customers", "Customers in the figures readers see", run.customers),
        _one("buyers", "Customers with a purchase", run.buyers),
        Gauge("revenue_total", "Net revenue of all customers so far", [(currency, float(run.revenue))]),
        Gauge(
            "expected_revenue_total",
            "Expected revenue of all customers over the horizon",
            [(currency, float(run.expected_value))],
        ),
        Gauge(
            "expected_margin_total",
            "Expected margin of all customers over the horizon",
            [(currency, float(run.clv))],
        ),
    ]


def _queues(now: datetime) -> list[Gauge]:
    due = Message.objects.due(now).order_by().aggregate(n=Count("pk"), oldest=Min("due_at"))
    parts = JobPart.objects.filter(state=StageState.WAITING, stage__state=StageState.RUNNING)
    age = (now - due["oldest"]).total_seconds() if due["oldest"] else 0.0
    return [
        _one(
            "changed_purchases_waiting",
            f"Changed purchases the next night takes up (at most {MOST})",
            _counted(PurchaseChange.objects.order_by()),
        ),
        _one("messages_due", "Messages whose time has come", due["n"]),
        _one("messages_oldest_due_age_seconds", "How long the oldest of them waits", age),
        _one("night_parts_waiting", "Parts of a stage at work that no worker has taken", parts.count()),
    ]


def _counted(rows: Any) -> int:
    return int(rows[:MOST].count())


def _one(name: str, meaning: str, value: float) -> Gauge:
    return Gauge(name, meaning, [({}, value)])
