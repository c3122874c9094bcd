"""Strikes at the n-th word a worker says to PostgreSQL during the night: no failpoint in the product, every statement one.

Every round trip of psycopg (statement, COPY, COMMIT) passes ``Connection.wait``. Counted there, in memory that the
workers share with the nursery they were forked from, a point of the night is a number, the same in every run.
"""

import ctypes
import mmap
import os
import time
from pathlib import Path
from typing import Any

import psycopg
from celery.signals import task_postrun, task_prerun

TASKS = "ltv."
ITSELF, ITS_WORKER = -1, 0  # victims, the latter with its whole pool; anything above is a process id
GONE_WITHIN = 10.0  # seconds for another process that was struck


class _Shared(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int64) for name in ("said", "at", "signal", "victim")]


class Trap:
    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, ctypes.sizeof(_Shared))  # shared by all processes forked from here on
        self._shared = _Shared.from_buffer(self._memory)
        self._depth = 0

    def arm(self, at: int, number: int, victim: int) -> None:
        """Strike ``victim`` before the ``at``-th statement from now on; 0 only counts."""
        shared = self._shared
        shared.at, shared.signal, shared.victim, shared.said = 0, number, victim, 0
        shared.at = at

    @property
    def said(self) -> int:
        """How many statements the tasks of the night said since it was armed."""
        return self._shared.said

    @property
    def sprung(self) -> bool:
        return not self._shared.at

    def install(self) -> None:
        """Count the statements of the night's tasks in this process and in those forked from it."""
        wait = psycopg.Connection.wait

        def counted(connection: Any, *args: Any, **kwargs: Any) -> Any:
            if self._depth:
                self._count()
            return wait(connection, *args, **kwargs)

        psycopg.Connection.wait = counted  # type: ignore[method-assign]
        task_prerun.connect(self._begins, weak=False)
        task_postrun.connect(self._ends, weak=False)

    def _begins(self, task: Any, **_kwargs: Any) -> None:
        self._depth += task.name.startswith(TASKS)

    def _ends(self, task: Any, **_kwargs: Any) -> None:
        self._depth -= task.name.startswith(TASKS)

    def _count(self) -> None:
        shared = self._shared
        shared.said += 1  # two processes may lose a count between them: it is a place, not an account
        if shared.at and shared.said >= shared.at:
            shared.at = 0
            strike(int(shared.victim), int(shared.signal))


def strike(victim: int, number: int) -> None:
    """Send the signal; of another process wait for the end, so that the statement meets nobody."""
    if victim == ITS_WORKER:
        os.kill(os.getppid(), number)
    os.kill(victim if victim > 0 else os.getpid(), number)
    deadline = time.monotonic() + GONE_WITHIN
    while victim > 0 and _runs(victim) and time.monotonic() < deadline:
        time.sleep(0.005)


def _runs(pid: int) -> bool:
    """Whether it is there and not merely waiting to be buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
