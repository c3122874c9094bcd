"""Real Celery workers with names of their own, each with one pool process whose memory is watched."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.servers import ROOT
from crm.celery import app
from crm.common.redis import client

QUEUE = "celery"
START_PATIENCE = 120.0


@dataclass(frozen=True)
class Worker:
    name: str
    process: "subprocess.Popen[bytes]"

    def pool(self) -> list[int]:
        """The processes that run its tasks."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children")
        return [int(child) for child in children.read_text().split()] if children.exists() else []

    def reset_peak(self) -> None:
        for child in self.pool():
            with suppress(OSError):
                Path(f"/proc/{child}/clear_refs").write_text("5")

    def peak_mb(self) -> float:
        """The most memory any of its processes held since ``reset_peak``."""
        return max((_peak(child) for child in self.pool()), default=0.0)


def _peak(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0  # it ended while we looked
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


@contextmanager
def working(count: int) -> Iterator[list[Worker]]:
    """``count`` workers, started as bin/up starts its own; nothing of an earlier run waits in their queue."""
    client().delete(QUEUE, "unacked", "unacked_index")
    workers = [_start(f"night{number}") for number in range(1, count + 1)]
    try:
        _wait_for(workers)
        yield workers
    finally:
        for worker in workers:
            _stop(worker)


def ring(task: str) -> None:
    """What beat does."""
    app.send_task(task, retry=False)


def _start(name: str) -> Worker:
    command = [sys.executable, "-m", "celery", "-q", "-A", "crm", "worker", "-l", "WARNING", "-Q", QUEUE]
    command += ["--concurrency", "1", "--hostname", f"{name}@%h", "--without-gossip", "--without-mingle"]
    environment = {**os.environ, "LOG_LEVEL": "WARNING"}
    return Worker(name, subprocess.Popen(command, env=environment, cwd=ROOT, start_new_session=True))


def _wait_for(workers: list[Worker]) -> None:
    deadline = time.monotonic() + START_PATIENCE
    while len(app.control.ping(timeout=1.0) or []) < len(workers):
        if time.monotonic() > deadline or any(one.process.poll() is not None for one in workers):
            raise RuntimeError("the workers did not start")


def _stop(worker: Worker) -> None:
    if worker.process.poll() is None:
        worker.process.terminate()
    try:
        worker.process.wait(30)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(worker.process.pid, signal.SIGKILL)
        worker.process.wait()
