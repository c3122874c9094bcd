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

from tests.workers import pool

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

    def forget(self) -> None:
        """What was taken for an earlier test; the server appends."""
        os.truncate(self.record, 0)

    def stop(self) -> None:
        kill_group(self.process)


class Nursery:
    """Makes workers of two pool processes, on the test's database and Valkey or the given ones."""

    def __init__(self, folder: Path, queue: str = QUEUE, **environment: str) -> None:
        self._log = folder / "workers.log"
        given = {
            "DATABASE_URL": database_url(),
            "REDIS_URL": settings.REDIS_URL,
            "SECRET_KEY": settings.SECRET_KEY,
            "SITE_URL": "https://crm.example",
            "SMTP_TIMEOUT": "5",
        }
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.nursery", queue, str(CONCURRENCY)],
                cwd=ROOT,
                env=os.environ | given | environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                bufsize=1,
            )
        self._workers: list[Worker] = []

    def worker(self) -> "Worker":
        """Start one; it is a real Celery worker in a process group of its own."""
        made = Worker(int(self._ask("worker")))
        self._workers.append(made)
        return made

    def arm(self, at: int, number: int = 0, victim: int = 0) -> None:
        """Set the trap: see ``tests.faults.trap``."""
        self._ask(f"arm {at} {number} {victim}")

    def said(self) -> int:
        """The statements of the night since the trap was set."""
        return int(self._ask("said").split()[0])

    def hear_nothing(self, seconds: float) -> None:
        """Wait until the night has said nothing for so long."""
        heard, since = -1, time.monotonic()
        while time.monotonic() - since < seconds:
            if (now := self.said()) != heard:
                heard, since = now, time.monotonic()
            time.sleep(0.02)

    def sprung(self) -> bool:
        return self._ask("said").split()[1] == "1"

    def _ask(self, line: str) -> str:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(f"{line}\n")
        return self._process.stdout.readline()

    def heard(self, task: str) -> list[str]:
        """Who rang for ``task``, a name for each ring that a worker took."""
        lines = (
            line.split() for line in self._log.read_text().splitlines() if line.startswith(f"heard {task} ")
        )
        return [origin for _heard, _task, origin in lines]

    def log(self) -> str:
        """The end of what the workers said."""
        return self._log.read_text()[-3000:]

    def kill_workers(self) -> None:
        for made in self._workers:
            made.kill()
            wait_until(lambda made=made: not made.lives(), 10, "the workers' end")
        self._workers.clear()

    def close(self) -> None:
        self.kill_workers()
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
        wait_until(lambda: not self.lives(), patience, "the worker's end")

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def lives(self) -> bool:
        return self._signal(0)

    def _signal(self, number: int) -> bool:
        """To its group, then to its pool, whose processes come to lead sessions of their own; whether it was there."""
        children = pool(self.pid)
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            return False
        for process in children:
            with suppress(ProcessLookupError):
                os.kill(process, number)
        return True


class Bell:
    """What beat does: rings, and nothing else."""

    def __init__(self, broker: str = "") -> None:
        # never the current app: what later tests of this process ring would go to a server that is gone
        self.app = Celery(broker=broker or settings.CELERY_BROKER_URL, set_as_current=False)
        self.app.conf.broker_transport_options = settings.CELERY_BROKER_TRANSPORT_OPTIONS

    def ring(self, *tasks: str) -> None:
        for task in tasks or ("campaigns.deliver_due", "campaigns.deliver_due", "campaigns.sweep"):
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
