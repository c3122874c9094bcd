"""Is the process up, and is the whole shop able to work? For load balancers and people; no secrets."""

from datetime import datetime, timedelta

from django.db import Error as DatabaseError
from django.db.models import Max
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError

from crm.common.choices import JobState
from crm.common.models import JobRun, Shop
from crm.common.redis import client
from crm.common.tasks import BEAT_TICK
from ltv.services.night import JOB

OLDEST_TICK = timedelta(minutes=3)
OK = "ok"


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers. Asks nobody else, so that an outage of PostgreSQL does not restart the web."""
    return HttpResponse("ok\n", content_type="text/plain", headers={"Cache-Control": "no-store"})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """Everything the shop needs is there: 200, or 503 and what is missing."""
    now = timezone.now()
    database, night = _database(now)
    valkey, beat = _redis(now)
    checks = {"database": database, "redis": valkey, "beat": beat, "night": night}
    ready = all(state == OK for state in checks.values())
    body = {"status": OK if ready else "unavailable", "checks": checks}
    return JsonResponse(body, status=200 if ready else 503)


def _database(now: datetime) -> tuple[str, str]:
    try:
        yesterday = Shop.current().business_date(now) - timedelta(days=1)
        runs = JobRun.objects.filter(job=JOB)
        last = runs.filter(state=JobState.DONE).aggregate(last=Max("business_date"))["last"]
        if last is None and not runs.filter(business_date__lte=yesterday).exists():
            return OK, OK  # newer than its first night
    except DatabaseError:
        return "unreachable", "unknown"
    if last is None:
        return OK, "never done"
    return OK, OK if last >= yesterday else f"last done for {last}"


def _redis(now: datetime) -> tuple[str, str]:
    try:
        tick = client().get(BEAT_TICK)
    except RedisError:
        return "unreachable", "unknown"
    if not isinstance(tick, bytes):
        return OK, "never rang"
    age = now - datetime.fromisoformat(tick.decode())
    return OK, OK if age <= OLDEST_TICK else f"last rang {int(age.total_seconds())} s ago"
