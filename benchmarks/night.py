"""The night at a million customers and ten million purchases, beside the floor of only moving the data.

One shop is made and loaded into the real tables; real Celery workers are rung, as beat does. The floor is measured in
the same run on the same warm server: the purchase columns a night uses out by COPY, one row a customer of a run's
table in. The first night rebuilds everything; before each later one a hundredth of the customers buy.
"""

import json
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser, BooleanOptionalAction
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import night_figures
from benchmarks.figures import Figure
from benchmarks.ltv_environments import interpreter
from benchmarks.night_plans import explaining
from benchmarks.servers import ROOT, database_copy, gunicorn, python, scratch_database
from crm import embedded

CUSTOMERS, PURCHASES_EACH = 1_000_000, 10
READERS_NIGHTS, IDLE_SECONDS = 10, 60.0
LIFETIMES_LIMIT = 1_200.0  # then the clock stops it
PLANS, MEASURED = "night-plans.txt", "night.json"

Environment = dict[str, str]
Found = dict[str, Any]


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--customers", type=int, default=CUSTOMERS)
    parser.add_argument("--sizes", help="several numbers of customers, by commas: how the night grows")
    parser.add_argument("--purchases", type=float, default=PURCHASES_EACH, help="per customer")
    parser.add_argument("--nights", type=int, default=3, help="steady nights after the first")
    parser.add_argument("--workers", type=int, default=2, help="worker processes")
    parser.add_argument("--one-worker", action="store_true", help="the first night also with one worker")
    parser.add_argument("--lifetimes", action=BooleanOptionalAction, default=True, help="the peer beside us")
    parser.add_argument("--readers", action="store_true", help="staff reading during ten publishes")
    parser.add_argument(
        "--explain", action="store_true", help=f"plans of slow statements into {PLANS} of the var directory"
    )


def run(*, customers: int = CUSTOMERS, sizes: str | None = None, **options: Any) -> list[Figure]:
    """Measure every size, the small ones first."""
    wanted = sorted(int(size) for size in sizes.split(",")) if sizes else [customers]
    found = [at_size(size, **options) for size in wanted]
    figures = [figure for one in found for figure in night_figures.of(one)]
    return figures + list(night_figures.growth(found))


def at_size(
    customers: int,
    *,
    purchases: float = PURCHASES_EACH,
    nights: int = 3,
    workers: int = 2,
    one_worker: bool = False,
    lifetimes: bool = True,
    readers: bool = False,
    explain: bool = False,
) -> Found:
    """Everything measured on one shop."""
    with scratch_database("bench_night") as scratch:
        scratch = {**scratch, "DJANGO_SETTINGS_MODULE": "crm.settings"}
        found: Found = {"customers": customers, "workers": workers}
        _say(f"{customers:,} customers: making and loading")
        found["load"] = _json(scratch, "night_load", customers, purchases)
        _keep(found)
        _say(f"loaded {found['load']['purchases']:,} purchases in {found['load']['loaded']:.0f} s")
        if one_worker:
            with database_copy(scratch, "bench_night_one") as copy:
                _say("first night with one worker")
                [found["one_worker"]] = _nights(copy, customers, 1, 0)
            _keep(found)
        if explain:
            _explain(scratch, customers)
        found["floor"] = _json(scratch, "night_floor", customers)
        _say(f"floor {found['floor']['out']:.1f} s out, {found['floor']['in']:.1f} s in; now the nights")
        first, *steady = _nights(scratch, customers, workers, nights)
        found |= {"first": first, "steady": steady}
        _keep(found)
        if readers:
            found["readers"] = _readers(scratch, customers, workers, nights + 1)
            _keep(found)
        if lifetimes:
            found["lifetimes"] = _lifetimes(scratch, steady[-1]["as_of"] if steady else first["as_of"])
        return found


def _keep(found: Found) -> None:
    """A long run that is stopped leaves what it measured."""
    (embedded.var_dir() / MEASURED).write_text(json.dumps(found, indent=1), encoding="utf-8")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _json(environment: Environment, module: str, *arguments: object) -> Any:
    return json.loads(python(environment, f"benchmarks.{module}", *(str(one) for one in arguments)))


def _nights(
    environment: Environment, customers: int, workers: int, steady: int, begin: int = 1, *, first: bool = True
) -> list[Found]:
    asked = {"customers": customers, "workers": workers, "nights": steady, "from": begin, "first": first}
    found: list[Found] = _json(environment, "night_rings", json.dumps(asked))
    return found


def _explain(scratch: Environment, customers: int) -> None:
    """A first and a steady night on a copy, watched; what they took is not a figure, for watching costs."""
    into = embedded.var_dir() / PLANS
    with database_copy(scratch, "bench_night_plans") as copy, explaining(copy["DATABASE_URL"], into):
        _nights(copy, customers, 1, 1)
    _say(f"plans: {into}")


def _readers(environment: Environment, customers: int, workers: int, begin: int) -> Found:
    """What readers wait idle, and while ten nights run: a minute and more of both, for the slowest hundredth."""
    _say("readers, idle and during ten publishes")
    with gunicorn("crm.wsgi:application", environment, "/healthz") as (port, _process):
        with _reading(environment, customers, port) as idle:
            time.sleep(IDLE_SECONDS)
        with _reading(environment, customers, port) as busy:
            nights = _nights(environment, customers, workers, READERS_NIGHTS, begin, first=False)
    during = [(one["begun"], one["begun"] + one["done"]) for one in nights]
    waits = {"idle": _waits(idle.found), "busy": _waits(busy.found, during)}
    return {**busy.found, **waits, "publishes": READERS_NIGHTS, "samples": None}


def _waits(found: Found, during: list[tuple[float, float]] | None = None) -> Found:
    """Milliseconds of each query, and of any of them, of those asked while a night ran."""
    waits: Found = {}
    asked = found["samples"] | {"any answer": [one for each in found["samples"].values() for one in each]}
    for query, samples in asked.items():
        spent = [ms for at, ms in samples if during is None or any(low <= at < high for low, high in during)]
        if spent:
            waits[query] = {
                "p50": np.quantile(spent, 0.5),
                "p99": np.quantile(spent, 0.99),
                "max": max(spent),
            }
    return waits


class _reading:
    """Readers in a process of their own while the block runs; then ``found`` has what they met."""

    def __init__(self, environment: Environment, customers: int, port: int) -> None:
        self.environment, self.customers, self.port = environment, customers, port
        self.found: Found = {}

    def __enter__(self) -> "_reading":
        self.folder = tempfile.TemporaryDirectory()
        self.stop = Path(self.folder.name) / "stop"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.night_readers", str(self.customers), str(self.port), str(self.stop)],
            env=self.environment, cwd=ROOT, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop.touch()
        said, _nothing = self.process.communicate(timeout=60)
        self.folder.cleanup()
        if self.process.returncode:
            raise RuntimeError("the readers ended with an error")
        self.found = json.loads(said.strip().splitlines()[-1])


def _lifetimes(environment: Environment, until: str) -> Found:
    """Seconds of each step of the peer, and whether the clock stopped it."""
    _say("the pipeline of lifetimes on the same data")
    url = environment["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://", 1)
    command = [str(interpreter("lifetimes")), "-m", "benchmarks.night_with_lifetimes", _with_host(url), until]
    process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        said, _nothing = process.communicate(timeout=LIFETIMES_LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
        said, _nothing = process.communicate()
        return {"steps": dict(_steps(said)), "stopped": LIFETIMES_LIMIT}
    if process.returncode:
        raise RuntimeError("the pipeline of lifetimes ended with an error")
    return {"steps": dict(_steps(said)), "stopped": None}


def _steps(said: str) -> Iterator[tuple[str, float]]:
    for line in said.splitlines():
        yield from json.loads(line).items()


def _with_host(url: str) -> str:
    """SQLAlchemy takes the folder of a socket as a parameter, not as the host."""
    scheme, _slashes, rest = url.partition("://")
    user_host, _slash, name = rest.partition("/")
    user, _at, host = user_host.rpartition("@")
    return f"{scheme}://{user}@/{name}?host={host}" if host.startswith("%2F") else url
