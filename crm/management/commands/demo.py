"""``manage.py demo``: fill an empty installation, once, with a simulated shop or with the public CDNOW log."""

from argparse import ArgumentParser
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from time import monotonic
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from crm.common import jobs
from crm.common.choices import JobState
from crm.common.models import JobRun, Shop
from crm.management.commands.up import FIRST_START
from crm.management.simulation import load
from customers.models import Customer
from customers.services import segments
from ltv.models import CurrentRun
from ltv.services import night

SEED = 20
CDNOW_AS_OF = date(1998, 7, 1)  # the day after the log's last: the whole log counts


class Command(BaseCommand):
    help = "Fill an empty installation with a simulated shop, two years old, and value its customers."

    def add_arguments(self, parser: ArgumentParser) -> None:
        data = parser.add_mutually_exclusive_group()
        data.add_argument("--cdnow", action="store_true", help="the public CDNOW purchase log instead")
        data.add_argument(
            "--empty", action="store_true", help="no data: the standard segments, and a note to ask no more"
        )
        parser.add_argument("--seed", type=int, default=SEED, help="another seed, another shop")
        parser.add_argument("--customers", type=int, default=3000)

    def handle(self, *args: Any, cdnow: bool, empty: bool, seed: int, customers: int, **options: Any) -> None:
        if empty:
            self._stay_empty()
        elif cdnow:
            self._cdnow()
        else:
            self._simulate(seed, customers)

    def _stay_empty(self) -> None:
        _refuse_customers()
        now = timezone.now()
        jobs.request_run(job=FIRST_START, business_date=now.date(), now=now)
        jobs.run_pending(job=FIRST_START, work=lambda _: segments.create_builtin(), clock=timezone.now)
        self.stdout.write("The shop is set up, without data.")

    def _simulate(self, seed: int, customers: int) -> None:
        started = monotonic()
        # Killed between the load and the night: the load was whole, so only the night is missing.
        if not (Shop.current().is_demo and not CurrentRun.objects.exists() and Customer.objects.exists()):
            _refuse_customers()
            world = load.load(seed=seed, now=timezone.now(), count=customers)
            self.stdout.write(
                f"{len(world.customers):,} simulated customers and {world.recorded:,} purchases"
                f" written in {monotonic() - started:.1f} s"
            )
        started = monotonic()
        self._night(Shop.current().business_date(timezone.now()))
        self.stdout.write(f"valued in {monotonic() - started:.1f} s: {Shop.current().name} is ready")

    def _cdnow(self) -> None:
        log = _cdnow_log()
        others = Customer.objects.exclude(external_id__startswith="cdnow-").exists()
        if others or CurrentRun.objects.exists():
            _refuse_customers()
        load.name_cdnow_shop(CDNOW_AS_OF)
        segments.create_builtin()
        # Importing again after a kill is harmless: what is there is "same".
        call_command("import_purchases", log, preset="cdnow", stdout=self.stdout)
        self._night(CDNOW_AS_OF)
        self.stdout.write(f"valued as of {CDNOW_AS_OF}, where this shop's calendar is held")

    def _night(self, business_date: date) -> None:
        now = timezone.now()
        run = jobs.ensure_nightly(job=night.JOB, business_date=business_date, now=now)
        if run.state in (JobState.DONE, JobState.FAILED):
            run = jobs.request_run(job=night.JOB, business_date=business_date, now=now)
        jobs.run_pending(
            job=night.JOB, work=lambda progress: night.recalculate(progress, timezone.now), clock=timezone.now
        )
        _check(run)


def _check(run: JobRun) -> None:
    run.refresh_from_db()
    if run.state == JobState.FAILED:
        raise CommandError(f"The night failed: {run.error.strip().splitlines()[-1]}")
    if run.state != JobState.DONE:
        raise CommandError("Another process is running the night; its page shows how far it is.")


def _refuse_customers() -> None:
    count = Customer.objects.count()
    if count:
        raise CommandError(
            f"This shop has {count:,} customers already, so nothing was loaded and nothing changed."
            " The demo is for an empty installation."
        )


def _cdnow_log() -> Path:
    """The log ships inside a package of the development environment."""
    package = find_spec("lifetimes")
    if package is None or package.origin is None:
        raise CommandError(
            "The CDNOW log ships with the development dependencies: install the group 'dev' first."
        )
    return Path(package.origin).parent / "datasets" / "CDNOW_master.txt"
