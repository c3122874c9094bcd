from celery import shared_task
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone

from crm.common.api import forget_answers
from crm.common.redis import client

BEAT_TICK = "crm:beat-tick"


@shared_task(name="common.beat_tick")
def beat_tick() -> None:
    """Leave the time of beat's last ring where the health page looks for it."""
    client().set(BEAT_TICK, timezone.now().isoformat())


@shared_task(name="common.tidy")
def tidy() -> None:
    """Forget what nobody will ask for again: stored answers of the API, sessions that ended."""
    forget_answers(now=timezone.now())
    SessionStore.clear_expired()
