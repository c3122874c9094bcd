"""The bells of campaigns. Each only looks at the database; losing one or ringing twice is harmless."""

import mmap
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from types import FrameType

from celery import shared_task
from celery.signals import worker_shutting_down
from django.db.models.functions import Now

from campaigns.services import delivery
from crm.common.models import Shop

# One byte shared by a worker and the pool processes it forks: the worker alone hears of a shutdown.
_shutdown = mmap.mmap(-1, 1)


@worker_shutting_down.connect
def _tell_the_pool(**_kwargs: object) -> None:
    _shutdown[0] = 1


@shared_task(name="campaigns.deliver_due")
def deliver_due() -> None:
    """Send what is due. A worker told to stop finishes the mail in hand and gives its other claims back."""
    with _sigterm_finishes_the_mail() as told:
        delivery.deliver_due(clock=_database_clock(), stopping=lambda: bool(_shutdown[0]) or told())


@shared_task(name="campaigns.sweep")
def sweep() -> None:
    """Put right what died and end what is done."""
    delivery.sweep(now=_database_clock()())


def _database_clock() -> Callable[[], datetime]:
    """PostgreSQL's time, read once and carried on: leases of two machines then mean the same."""
    read = Shop.objects.values_list(Now(), flat=True).get()
    started = time.monotonic()
    return lambda: read + timedelta(seconds=time.monotonic() - started)


@contextmanager
def _sigterm_finishes_the_mail() -> Iterator[Callable[[], bool]]:
    """Whoever stops the whole process group reaches the pool process too: let it finish, then die of it."""
    heard: list[int] = []

    def hear(number: int, _frame: FrameType | None) -> None:
        heard.append(number)

    previous = signal.signal(signal.SIGTERM, hear)
    try:
        yield lambda: bool(heard)
    finally:
        signal.signal(signal.SIGTERM, previous)
        if heard:
            os.kill(os.getpid(), signal.SIGTERM)
