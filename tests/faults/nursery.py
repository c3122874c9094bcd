"""Starts Celery workers quickly: imports everything once, then forks a real worker for every line it reads.

A worker is a process group of its own, exactly what ``celery -A crm worker`` runs; only the seconds of importing,
which are not what the fault tests are about, happen once. Prints the pid of each.

    python -m tests.faults.nursery QUEUE CONCURRENCY
"""

import os
import signal
import sys

import django


def main(queue: str, concurrency: str) -> None:
    from crm.celery import app

    django.setup()
    app.loader.import_default_modules()
    app.finalize()
    arguments = ["worker", "--concurrency", concurrency, "-Q", queue, "--loglevel", "WARNING"]
    arguments += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead are buried by the kernel
    for _line in sys.stdin:
        pid = os.fork()
        if not pid:
            os.setpgid(0, 0)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            with open(os.devnull) as nothing:  # noqa: PTH123
                os.dup2(nothing.fileno(), 0)
            os.dup2(2, 1)  # the banner goes to the log, not among the pids
            try:
                app.worker_main(arguments)
            finally:
                os._exit(1)
        print(pid, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
