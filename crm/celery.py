"""The Celery app and the whole beat schedule: every bell on one screen.

A bell carries no data. The work is a row in PostgreSQL; a lost bell costs until the next ring, a doubled one
costs nothing.
"""

import ctypes
import os
import warnings
from contextlib import suppress
from typing import Any

from billiard import current_process
from celery import Celery
from celery.exceptions import SecurityWarning
from celery.schedules import crontab
from celery.signals import worker_process_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")

# A fresh machine has only root. The warning is about pickled messages; ours are JSON without data.
warnings.filterwarnings("ignore", category=SecurityWarning)

M_MMAP_THRESHOLD = -3
LARGE = 3 * 2**20  # bytes


@worker_process_init.connect
def give_memory_back(**_: Any) -> None:
    """Let glibc return each large array when it is freed: a night makes thousands, of a million numbers each.

    By itself it would keep them in a heap that has holes and grows. Elsewhere than on glibc nothing happens.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").mallopt(M_MMAP_THRESHOLD, LARGE)


@worker_process_init.connect
def lead_a_session(**_: Any) -> None:
    """Let each process of the pool lead a session, so that it can stand back alone: ``crm.common.priority``.

    It ends with the worker's main process all the same, by the parent death signal that Celery asks for. A pool without
    processes ("solo") stays in the session it was started in.
    """
    if current_process().name != "MainProcess":
        os.setsid()


app = Celery("crm")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["crm.common", "customers", "feedback", "ltv", "campaigns"])

app.conf.beat_schedule = {
    # Every half hour in UTC, whatever the shop's zone: JobRun lets the night happen once per business date, soon
    # after the shop's midnight, and every further ring only catches up one that was missed or killed.
    "ltv.recalculate": {"task": "ltv.recalculate", "schedule": crontab(minute="10,40")},
    # Once a business week, soon after its Monday begins: between two rings of the night, to share no minute with it.
    "ltv.backtest": {"task": "ltv.backtest", "schedule": crontab(minute="25")},
    "ltv.reproduce": {"task": "ltv.reproduce", "schedule": 60.0},
    "campaigns.deliver_due": {"task": "campaigns.deliver_due", "schedule": 20.0},
    "campaigns.sweep": {"task": "campaigns.sweep", "schedule": 60.0},
    "customers.run_imports": {"task": "customers.run_imports", "schedule": 60.0},
    "common.tidy": {"task": "common.tidy", "schedule": crontab(hour="3", minute="25")},
    "common.beat_tick": {"task": "common.beat_tick", "schedule": 30.0},
}
