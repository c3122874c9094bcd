"""A real Celery worker in its own process, on the test database and the test broker."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.conf import settings
from django.db import connection

from crm.common.redis import client

QUEUE = "celery"
PATIENCE = 90.0


def environment(**extra: str) -> dict[str, str]:
    """What a process needs to work on this test's database, broker and mail server."""
    test_database = connection.settings_dict["NAME"]
    base, _slash, _name = os.environ["DATABASE_URL"].partition("?")[0].rpartition("/")
    return {
        **os.environ,
        "DATABASE_URL": f"{base}/{test_database}",
        "REDIS_URL": settings.REDIS_URL,
        "SMTP_URL": settings.SMTP_URL,
        "SITE_URL": settings.SITE_URL,
        "SECRET_KEY": settings.SECRET_KEY,
        "LOG_LEVEL": "WARNING",
        **extra,
    }


def start(concurrency: int = 2, name: str = "celery@%h", **extra: str) -> "subprocess.Popen[bytes]":
    """Start a prefork worker in its own process group, ``name`` as ``celery worker -n`` takes it."""
    command = [sys.executable, "-m", "celery", "-q", "-A", "crm", "worker", "-l", "WARNING", "-Q", QUEUE]
    command += ["--concurrency", str(concurrency), "-n", name, "--without-gossip", "--without-mingle"]
    return subprocess.Popen(command, env=environment(**extra), start_new_session=True)


@contextmanager
def running(
    concurrency: int = 2, name: str = "celery@%h", **extra: str
) -> Iterator["subprocess.Popen[bytes]"]:
    """A worker while the block runs; nothing of an earlier test waits in its queue."""
    client().delete(QUEUE, "unacked", "unacked_index")
    worker = start(concurrency, name, **extra)
    try:
        yield worker
    finally:
        stop(worker)


def pool(worker: int) -> list[int]:
    """The processes of the pool of the worker with this main process; none when it is gone."""
    with suppress(OSError):
        return [int(one) for one in Path(f"/proc/{worker}/task/{worker}/children").read_text().split()]
    return []


def stop(worker: "subprocess.Popen[bytes]") -> None:
    """End the worker as a deploy does, and its whole group if it does not go."""
    if worker.poll() is None:
        worker.terminate()
    try:
        worker.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()


def wait_until(condition: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
    """Look every fifth of a second until ``condition`` holds; fail by name when it does not in time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.2)
