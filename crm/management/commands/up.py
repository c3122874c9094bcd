"""Everything on one machine: migrate, first start, then web, worker, beat and mailbox until Ctrl-C."""

import os
import signal
import socket
import sys
from argparse import ArgumentParser
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from crm import embedded
from crm.common import jobs
from crm.common.choices import JobState
from crm.common.models import JobRun
from crm.supervisor import Program, Supervisor
from customers.models import Customer

FIRST_START = "first_start"


class Command(BaseCommand):
    help = (
        "Run the whole CRM on this machine: web, worker, beat and mailbox, with a demo shop at first start."
    )
    requires_system_checks: list[str] = []  # the port is looked at before anything slow

    def add_arguments(self, parser: ArgumentParser) -> None:
        data = parser.add_mutually_exclusive_group()
        data.add_argument(
            "--cdnow", action="store_true", help="first start with the public CDNOW purchase log"
        )
        data.add_argument("--empty", action="store_true", help="first start with no data at all")

    def handle(self, *args: Any, cdnow: bool, empty: bool, **options: Any) -> None:
        signal.signal(signal.SIGTERM, _exit)
        try:
            port = _wanted_port()
            self._prepare(cdnow=cdnow, empty=empty)
            ready = _Ready(port, say=self.stdout.write)
            Supervisor(_programs(port), tend=ready.tend).run()
            self.stdout.write("Stopped.")
        except KeyboardInterrupt:
            self.stdout.write("\nStopped before it was ready.")

    def _prepare(self, *, cdnow: bool, empty: bool) -> None:
        self.stdout.write("Preparing the database ...")
        call_command("migrate", verbosity=0, interactive=False)
        known = _password_file().exists()
        call_command("setup", owner_password_file=_password_file(), stdout=StringIO())
        if not known and _password_file().exists():
            self.stdout.write(f"Owner: user owner, password {_password_file().read_text().strip()}")
        if _wants_data() and empty:
            call_command("demo", empty=True)  # notes that later starts need not ask
        elif _wants_data():
            self._load(cdnow=cdnow)

    def _load(self, *, cdnow: bool) -> None:
        self.stdout.write(f"Making the {'CDNOW' if cdnow else 'demo'} shop, this once ...")
        run = JobRun.objects.filter(job=FIRST_START, state=JobState.RUNNING).first()  # killed while loading
        now = timezone.now()
        run = run or jobs.request_run(job=FIRST_START, business_date=now.date(), now=now)

        def work(_progress: jobs.Progress) -> None:
            call_command("demo", cdnow=cdnow)

        jobs.run_pending(job=FIRST_START, work=work, clock=timezone.now)
        run.refresh_from_db()
        if run.state != JobState.DONE:
            why = run.error.strip().splitlines()[-1] if run.error else "another process is loading it"
            raise CommandError(f"The first data could not be loaded: {why}")


class _Ready:
    """Says once that the pages answer, and keeps the embedded servers alive."""

    def __init__(self, port: int, *, say: Any) -> None:
        self.url = f"http://127.0.0.1:{port}/"
        self.say, self.said = say, False

    def tend(self) -> None:
        try:
            embedded.keep_alive()
        except embedded.ServicesError as error:
            self.say(f"{error} Trying again.")
        if not self.said and _answers(self.url):
            self.said = True
            known = f"user owner, password: in {_password_file()}  " if _password_file().exists() else ""
            self.say(f"Ready: {self.url}admin/  {known}(Ctrl-C stops everything)")


def _exit(_number: int, _frame: object) -> None:
    sys.exit(143)  # through atexit, so that the embedded servers stop too


def _wanted_port() -> int:
    port = int(os.environ.get("PORT", "8000"))
    if not _is_free(port):
        raise CommandError(f"Port {port} is in use (perhaps bin/up already runs); set PORT to another.")
    return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((os.environ.get("BIND", "127.0.0.1"), port))
        except OSError:
            return False
    return True


def _answers(url: str) -> bool:
    try:
        with urlopen(f"{url}healthz", timeout=1) as reply:  # noqa: S310 (our own address)
            return reply.status == 200
    except OSError:
        return False


def _programs(port: int) -> list[Program]:
    """What runs, first to last; stopped last to first, so beat rings no worker that is gone."""
    var = Path(settings.VAR_DIR)
    python, bind = sys.executable, os.environ.get("BIND", "127.0.0.1")
    celery = [python, "-m", "celery", "--quiet", "-A", "crm"]
    common = {"PORT": str(port)}
    programs = []
    if not settings.SMTP_URL:
        common |= {"SMTP_URL": f"smtp://127.0.0.1:{_mailbox_port(var / 'mailbox_port')}"}
        programs.append(Program("mailbox", [python, "manage.py", "mailbox"], common))
    web = ["--bind", f"{bind}:{port}", "--worker-class", "gthread", "--workers", "2", "--threads", "4"]
    web += ["--no-control-socket", "--graceful-timeout", "10", "--preload"]
    work = ["--concurrency", "2", "--loglevel", "INFO", "--without-gossip", "--without-mingle"]
    return [
        *programs,
        Program("web", [python, "-m", "gunicorn", "crm.wsgi:application", *web], common),
        Program("worker", [*celery, "worker", *work], common, patience=40.0),
        Program("beat", [*celery, "beat", "--schedule", str(var / f"beat-{port}"), "--pidfile="], common),
    ]


def _mailbox_port(remembered: Path) -> int:
    """The port of the last start when it is free, so that mail programs find the mailbox again."""
    if remembered.exists() and _is_free(port := int(remembered.read_text())):
        return port
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    remembered.write_text(str(port))
    return port


def _password_file() -> Path:
    return Path(settings.VAR_DIR) / "owner_password"


def _wants_data() -> bool:
    """Never twice, and never among customers that are already there."""
    runs = JobRun.objects.filter(job=FIRST_START)
    if runs.exists():
        return not runs.filter(state=JobState.DONE).exists()
    return not Customer.objects.exists()
