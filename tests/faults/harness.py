"""Real processes for fault tests: a mail server with a record, a Celery worker, and what is true afterwards."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from celery import Celery
from django.conf import settings
from django.db import connection

ROOT = Path(__file__).resolve().parents[2]
CONCURRENCY = 2
QUEUE = f"faults-{os.getpid()}"  # nobody else's tasks reach the worker, nor its tasks anybody else


@dataclass(frozen=True)
class Taken:
    """A mail the server took, as its record has it."""

    at: float
    address: str
    message_id: str


class MailServerProcess:
    def __init__(self, folder: Path) -> None:
        self.record, port_file = folder / "taken.log", folder / "port"
        self.record.touch()
        command = [sys.executable, "-m", "tests.faults.sink_process", str(self.record), str(port_file)]
        self.process = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
        wait_until(port_file.exists, 10, "the mail server")
        self.url = f"smtp://127.0.0.1:{port_file.read_text()}"

    def taken(self) -> list[Taken]:
        lines = (line.split() for line in self.record.read_text().splitlines())
        return [Taken(float(at), address, message_id) for at, address, message_id in lines]

    def count(self) -> int:
        with self.record.open("rb") as record:
            return sum(chunk.count(b"\n") for chunk in iter(lambda: record.read(1 << 20), b""))

    def stop(self) -> None:
        kill_group(self.process)


class Nursery:
    """Makes workers of two pool processes, on the test's database, Valkey and mail server."""

    def __init__(self, folder: Path, *, smtp_url: str, lease: float) -> None:
        self._log = folder / "workers.log"
        environment = os.environ | {
            "DATABASE_URL": database_url(),
            "REDIS_URL": settings.REDIS_URL,
            "SECRET_KEY": settings.SECRET_KEY,
            "SMTP_URL": smtp_url,
            "SITE_URL": "https://crm.example",
            "CAMPAIGN_LEASE_SECONDS": str(lease),
            "SMTP_TIMEOUT": "5",
        }
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.nursery", QUEUE, str(CONCURRENCY)],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                bufsize=1,
            )
        self._workers: list[Worker] = []

    def worker(self) -> "Worker":
        """Start one; it is a real Celery worker in a process group of its own."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write("\n")
        made = Worker(int(self._process.stdout.readline()))
        self._workers.append(made)
        return made

    def log(self) -> str:
        """The end of what the workers said."""
        return self._log.read_text()[-3000:]

    def close(self) -> None:
        for made in self._workers:
            made.kill()
        self._process.terminate()
        self._process.wait(10)


@dataclass(frozen=True)
class Worker:
    pid: int

    def kill(self) -> None:
        """SIGKILL to the worker and its pool at once, as a power cut would."""
        self._signal(signal.SIGKILL)

    def terminate(self, patience: float, *, whole_group: bool) -> None:
        """SIGTERM, as a machine's shutdown sends it to everybody or a supervisor to the worker alone; waits."""
        if whole_group:
            self._signal(signal.SIGTERM)
        else:
            os.kill(self.pid, signal.SIGTERM)
        wait_until(lambda: not self._signal(0), patience, "the worker's end")

    def _signal(self, number: int) -> bool:
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            return False
        return True


class Bell:
    """What beat does: rings, and nothing else."""

    def __init__(self) -> None:
        self.app = Celery(broker=settings.CELERY_BROKER_URL)
        self.app.conf.broker_transport_options = settings.CELERY_BROKER_TRANSPORT_OPTIONS

    def ring(self) -> None:
        for task in ("campaigns.deliver_due", "campaigns.deliver_due", "campaigns.sweep"):
            self.app.send_task(task, queue=QUEUE, retry=False)

    def close(self) -> None:
        self.app.close()


def database_url() -> str:
    """Where the worker finds the test's database."""
    url = urlsplit(os.environ["DATABASE_URL"])
    return urlunsplit(url._replace(path="/" + str(connection.settings_dict["NAME"])))


def kill_group(process: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)


def wait_until(condition: Callable[[], Any], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.05)
