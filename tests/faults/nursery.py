"""Starts Celery workers quickly: imports everything once, then forks a real worker whenever it is told to.

A worker is a process group of its own, exactly what ``celery -A crm worker`` runs; only the seconds of importing,
which are not what the fault tests are about, happen once. Answers every line it reads with one of its own:

    worker                    the pid of a new worker
    arm PLACE SIGNAL VICTIM   0; sets the trap (see tests.faults.trap)
    said                      how many statements the night's tasks said since then, and 1 if the trap is not set

    python -m tests.faults.nursery QUEUE CONCURRENCY
"""

import importlib
import mmap
import os
import signal
import sys
from datetime import timedelta
from typing import Any

import django
from celery import Celery
from celery.signals import task_received

from tests.faults.trap import Trap

# What a worker imports only once it runs: two seconds of every start.
LAZY = (
    "celery.apps.worker",
    "celery.bin.celery",
    "celery.concurrency.prefork",
    "celery.worker.components",
    "celery.worker.consumer",
    "celery.worker.strategy",
    "kombu.transport.redis",
)
CUSTOMERS_A_RANGE = 20


def main(queue: str, concurrency: str) -> None:
    from crm.celery import app

    django.setup()
    app.conf.task_default_queue = queue  # what a worker rings itself it hears too
    app.loader.import_default_modules()
    app.finalize()
    for name in LAZY:
        importlib.import_module(name)
    _small_parts()
    trap = Trap()
    trap.install()
    task_received.connect(_heard, weak=False)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead are buried by the kernel
    for line in sys.stdin:
        what, *numbers = line.split()
        if what == "arm":
            trap.arm(*map(int, numbers))
        answer = {"arm": "0", "said": f"{trap.said} {int(trap.sprung)}"}.get(what)
        print(answer or _fork_worker(app, queue, concurrency), flush=True)


def _heard(request: Any, **_kwargs: Any) -> None:
    """One line in the log for every ring: the task, and the process that rang. Past the logging that takes prints."""
    os.write(2, f"heard {request.name} {request.request_dict['origin']}\n".encode())


def _small_parts() -> None:
    """A shop of sixty is cut into several parts too, and nobody waits half a minute for a dead worker's."""
    from crm.common import parts
    from ltv.core import uncertainty
    from ltv.services import rebuild, valuing

    parts.LEASE, rebuild.PART, valuing.PART = timedelta(seconds=1), 15, CUSTOMERS_A_RANGE
    uncertainty.MATTERS_UP_TO = 0  # or they would be valued together


def _a_shutdown_of_its_own() -> None:
    """As if this worker had imported it: otherwise one that was told to stop would have told all that come after it."""
    from campaigns import tasks

    tasks._shutdown = mmap.mmap(-1, 1)


def _fork_worker(app: Celery, queue: str, concurrency: str) -> int:
    arguments = ["worker", "--concurrency", concurrency, "-Q", queue, "--loglevel", "WARNING"]
    arguments += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    pid = os.fork()
    if not pid:
        os.setpgid(0, 0)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _a_shutdown_of_its_own()
        with open(os.devnull) as nothing:  # noqa: PTH123
            os.dup2(nothing.fileno(), 0)
        os.dup2(2, 1)  # the banner goes to the log, not among the pids
        try:
            app.worker_main(arguments)
        finally:
            os._exit(1)
    return pid


if __name__ == "__main__":
    main(*sys.argv[1:])
