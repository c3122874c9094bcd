"""Giving way: on a machine that both share, a long job lets those go first who wait for an answer."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from resource import RLIMIT_NICE, getrlimit

from django.db import connection

BEHIND = 10  # steps of "nice": about a tenth of the processor's time where others want all of it
HERE = 0  # this thread, in the words of setpriority


@contextmanager
def giving_way() -> Iterator[None]:
    """Let this thread, and the process of PostgreSQL that serves it, stand back while the block runs.

    Where it may not come forward again (it is neither root nor has a limit of "nice"), nothing is done.
    """
    before = {process: os.getpriority(os.PRIO_PROCESS, process) for process in _processes()}
    for process, nice in before.items():
        os.setpriority(os.PRIO_PROCESS, process, max(nice, BEHIND))
    try:
        yield
    finally:
        for process, nice in before.items():
            with suppress(ProcessLookupError):
                os.setpriority(os.PRIO_PROCESS, process, nice)


def _processes() -> list[int]:
    allowed, _hard = getrlimit(RLIMIT_NICE)
    if os.geteuid() != 0 and 20 - allowed > os.getpriority(os.PRIO_PROCESS, HERE):
        return []
    connection.ensure_connection()
    backend: int = connection.connection.info.backend_pid
    return [HERE, backend] if _is_ours(backend) else [HERE]


def _is_ours(process: int) -> bool:
    """Whether it is PostgreSQL on this machine, and ours to set back; the number alone may be another host's."""
    files = Path(f"/proc/{process}")
    try:
        is_postgres = files.joinpath("cmdline").read_bytes().startswith(b"postgres: ")
        return is_postgres and os.geteuid() in (0, files.stat().st_uid)
    except OSError:
        return False
