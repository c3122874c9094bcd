"""Giving way: on a machine that both share, a long job lets those go first who wait for an answer.

Linux may share the processors out among sessions first, and by the "nice" of threads only within each; a session then
has a number of its own ("autogroup" in man 7 sched). Both are set back. PostgreSQL's processes are sessions of one
process each, and so are those of a worker's pool (``crm.celery``).
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from resource import RLIMIT_NICE, getrlimit

from django.conf import settings
from django.db import connection

from crm.common import sql

HERE = 0  # this thread, in the words of setpriority
# Sessions may be set back ten times a second, by all together who are not root: tries, and seconds between them.
TRIES, PAUSE = 20, 0.05


@contextmanager
def giving_way(*, whole_process: bool = True) -> Iterator[None]:
    """Let this thread, and the process of PostgreSQL that serves it, stand back while the block runs.

    That one calls no others to help it, which nobody would set back. A thread that may not come forward again (it is
    neither root nor has a limit of "nice") stays where it is; a session may come forward always. Inside another such
    block nothing changes. ``whole_process``: this process does nothing else meanwhile.
    """
    server = _backend()
    sessions = [_Session(process) for process in ([os.getpid()] if whole_process else []) + server]
    standing: list[_Thread | _Session] = [*_threads(server), *(one for one in sessions if one.counts)]
    before = [(one, nice) for one in standing if (nice := one.read()) < settings.JOB_NICE]
    for one, _nice in before:
        one.write(settings.JOB_NICE)
    try:
        with sql.without_help():
            yield
    finally:
        for one, nice in before:
            with suppress(OSError):  # the process is gone
                one.write(nice)


@dataclass(frozen=True)
class _Thread:
    id: int

    def read(self) -> int:
        return os.getpriority(os.PRIO_PROCESS, self.id)

    def write(self, nice: int) -> None:
        os.setpriority(os.PRIO_PROCESS, self.id, nice)


@dataclass(frozen=True)
class _Session:
    leader: int

    @property
    def file(self) -> Path:
        return Path(f"/proc/{self.leader}/autogroup")

    @property
    def counts(self) -> bool:
        """Whether the process leads one, and Linux shares by sessions: the file is empty where it does not."""
        with suppress(OSError):
            return os.getsid(self.leader) == self.leader and bool(self.file.read_text())
        return False

    def read(self) -> int:
        return int(self.file.read_text().rpartition("nice")[2])  # "/autogroup-25 nice 0"

    def write(self, nice: int) -> None:
        for _try in range(TRIES):
            with suppress(BlockingIOError):
                self.file.write_text(str(nice))
                return
            time.sleep(PAUSE)


def _threads(server: list[int]) -> list[_Thread]:
    allowed, _hard = getrlimit(RLIMIT_NICE)
    if os.geteuid() != 0 and 20 - allowed > os.getpriority(os.PRIO_PROCESS, HERE):
        return []
    return [_Thread(process) for process in (HERE, *server)]


def _backend() -> list[int]:
    """The process of PostgreSQL that serves this thread, where it is on this machine and ours to set back."""
    connection.ensure_connection()
    process: int = connection.connection.info.backend_pid
    return [process] if _is_ours(process) else []


def _is_ours(process: int) -> bool:
    """The number alone may be another host's."""
    files = Path(f"/proc/{process}")
    try:
        is_postgres = files.joinpath("cmdline").read_bytes().startswith(b"postgres: ")
        return is_postgres and os.geteuid() in (0, files.stat().st_uid)
    except OSError:
        return False
