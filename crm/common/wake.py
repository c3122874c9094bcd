"""Ringing a bell: tells a worker to look at the database now instead of at the next beat."""

import logging

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


def wake(task: str) -> None:
    """Ring ``task`` after the surrounding transaction commits. Losing the ring is harmless: beat rings too."""
    transaction.on_commit(lambda: _ring(task), robust=True)


def _ring(task: str) -> None:
    try:
        current_app.send_task(task, retry=False)
    except (OperationalError, RedisError, OSError) as error:
        logger.warning("could not ring %s: %s", task, error)
