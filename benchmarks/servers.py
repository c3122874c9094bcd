"""A scratch database on the embedded servers, and gunicorn in front of it, for the length of one benchmark."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import psycopg

from crm import embedded

ROOT = Path(__file__).resolve().parent.parent
VAR_DIR = embedded.var_dir() / "bench"
TICKS = os.sysconf("SC_CLK_TCK")


@contextmanager
def scratch_database(name: str) -> Iterator[dict[str, str]]:
    """An environment whose DATABASE_URL names an empty, migrated database of its own; dropped at the end."""
    os.environ["CRM_VAR_DIR"] = str(VAR_DIR)
    embedded.ensure()
    server = os.environ["DATABASE_URL"]
    base, _slash, _old = server.rpartition("/")
    environment = {**os.environ, "DATABASE_URL": f"{base}/{name}", "LOG_LEVEL": "WARNING"}
    with psycopg.connect(server, autocommit=True) as connection:
        _drop(connection, name)
        connection.execute(f"CREATE DATABASE {name}")
        try:
            manage(environment, "migrate", "--verbosity", "0")
            yield environment
        finally:
            _drop(connection, name)


@contextmanager
def database_copy(environment: dict[str, str], name: str) -> Iterator[dict[str, str]]:
    """The environment of a copy, file by file, of a scratch database that nobody is connected to; dropped at the end."""
    base, _slash, original = environment["DATABASE_URL"].rpartition("/")
    with psycopg.connect(f"{base}/postgres", autocommit=True) as connection:
        _drop(connection, name)
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {original} STRATEGY FILE_COPY")
        try:
            yield {**environment, "DATABASE_URL": f"{base}/{name}"}
        finally:
            _drop(connection, name)


def _drop(connection: psycopg.Connection, name: str) -> None:
    """Autovacuum may be at work there, which only a superuser may end: wait for it."""
    for _second in range(60):
        try:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            return
        except psycopg.errors.InsufficientPrivilege:
            time.sleep(1)
    raise RuntimeError(f"the database {name} is still in use")


def manage(environment: dict[str, str], *arguments: str) -> None:
    subprocess.run([sys.executable, "manage.py", *arguments], env=environment, cwd=ROOT, check=True)


def python(environment: dict[str, str], module: str, *arguments: str) -> str:
    """What ``python -m module`` prints, run on the scratch database."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env=environment, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return done.stdout.strip().splitlines()[-1]


@contextmanager
def gunicorn(application: str, environment: dict[str, str], probe: str) -> Iterator[tuple[int, int]]:
    """Serve as bin/up does; yields the port and gunicorn's process id."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--worker-class", "gthread", "--workers", "2", "--threads", "4", "--preload"]
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", application, "--bind", f"127.0.0.1:{port}", *options,
         "--no-control-socket", "--log-level", "warning", "--keep-alive", "30"],
        env=environment, cwd=ROOT, start_new_session=True,
    )  # fmt: skip
    try:
        _wait(f"http://127.0.0.1:{port}{probe}", process)
        yield port, process.pid
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=30)


def _wait(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"gunicorn ended with {process.returncode}")
        try:
            with urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"{url} does not answer")


def postgres_cpu_seconds() -> float:
    """CPU time of the embedded PostgreSQL: its processes that live, and those that ended."""
    file = embedded.var_dir() / "postgres" / "data" / "postmaster.pid"
    if not file.exists():
        return 0.0  # a server we were given
    postmaster = int(file.read_text().split()[0])
    fields = Path(f"/proc/{postmaster}/stat").read_text().rpartition(")")[2].split()
    return cpu_seconds(postmaster) + (int(fields[13]) + int(fields[14])) / TICKS


def cpu_seconds(parent: int) -> float:
    """CPU time of a process and its children, from /proc."""
    total = 0.0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except OSError:
            continue  # it ended while we looked
        fields = text.rpartition(")")[2].split()
        if int(fields[1]) == parent or int(stat.parent.name) == parent:
            total += (int(fields[11]) + int(fields[12])) / TICKS
    return total
