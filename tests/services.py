"""Loaded by ``-p tests.services`` before anything reads Django's settings: the tests' own real servers.

Each test run has its own var directory while it lasts: two runs at once get two sets of servers, and a run
beside a working installation never touches that one's data. With DATABASE_URL and REDIS_URL set nothing is
started and the same tests run on those servers.

The processes of one run (pytest -n) share its servers and nothing in them: pytest-django gives each a database in
PostgreSQL, and here each gets one in Valkey. A given Redis stays as it was given, for its other databases may be
somebody's: run the tests in one process there.
"""

import fcntl
import gc
import os
import sys
from pathlib import Path
from shutil import which
from typing import IO

import pytest

from crm import embedded

OURS = "CRM_TESTS_VALKEY"  # the Valkey that a test run has started, for the processes it starts
_slot: list[IO[str]] = []


def _own_var_dir(var: Path) -> Path:
    """The first of var/test, var/test2, ... that no other running test session uses."""
    var.mkdir(parents=True, exist_ok=True)
    for number in range(1, 100):
        folder = var / ("test" if number == 1 else f"test{number}")
        lock = Path(f"{folder}.lock").open("a")  # noqa: SIM115 - held until the process ends
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            continue
        _slot.append(lock)
        return folder
    raise pytest.UsageError(f"100 test runs at once in {var}?")


def _prepare() -> None:
    os.environ["JOB_NICE"] = "0"  # or a night would wait for the tests beside it
    if not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
        _start()
    os.environ["REDIS_URL"] = _own_database(os.environ["REDIS_URL"])


def _start() -> None:
    given = os.environ.get("REDIS_URL")
    try:
        os.environ["CRM_VAR_DIR"] = str(_own_var_dir(embedded.var_dir()))
        embedded.ensure(durable=False)
    except (embedded.ServicesError, OSError) as error:
        raise pytest.UsageError(str(error)) from error
    if not given:
        os.environ[OURS] = os.environ["REDIS_URL"]


def _own_database(url: str) -> str:
    """This process's part of the Valkey that this run started; any other is used as it is.

    Shared, one process's test would empty the cache in the middle of another's, and its worker would take the
    other's bells. A process of xdist is started with the environment of the one that started the servers.
    """
    process = os.environ.get("PYTEST_XDIST_WORKER", "")
    return f"{url}?db={process.removeprefix('gw')}" if process and url == os.environ.get(OURS) else url


_prepare()

# The tests start a hundred Python processes: each module is compiled once, not once in every process.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

BROWSER = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := which(name))), None
)


# Folders with files of minutes, because they start processes, servers or a browser, then those with files of many
# seconds: begun first, so that none is left for one core at the end. Each file goes to one core (--dist loadfile);
# the next free one takes the next file.
LONG = ("browser", "faults", "ops", "crm", "journeys", "admin")
LONG += ("ltv", "core", "api", "customers", "campaigns")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first. Without a browser its tests are skipped by name and the run's last lines say so."""
    items.sort(
        key=lambda item: LONG.index(item.path.parent.name) if item.path.parent.name in LONG else len(LONG)
    )
    if BROWSER is None:
        for item in items:
            if "browser" in item.path.parts:
                item.add_marker(pytest.mark.skip(reason="no Chromium on this machine"))


def pytest_collection_finish() -> None:
    """What is imported and collected stays to the end: the garbage collector need not look at it again and again."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = [r.nodeid for r in terminalreporter.stats.get("skipped", []) if "/browser/" in r.nodeid]
    if skipped:
        terminalreporter.section(
            "NO BROWSER: these were NOT tested (apt-get install chromium)", sep="!", red=True
        )
        for name in skipped:
            terminalreporter.write_line(name)
