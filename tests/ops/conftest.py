import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

OF_THIS_RUN = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "PYTEST_XDIST_WORKER")
CHECKOUT = Path(__file__).resolve().parent.parent.parent


class Installation:
    """A var directory of its own, and commands that run with it as they would in a new terminal."""

    def __init__(self, var: Path) -> None:
        self.var = var
        self.extra: dict[str, str] = {}

    @property
    def environment(self) -> dict[str, str]:
        clean = {k: v for k, v in os.environ.items() if k not in OF_THIS_RUN}
        return clean | {"CRM_VAR_DIR": str(self.var)} | self.extra

    def start(self, *command: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, *command], cwd=CHECKOUT, env=self.environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *command],
            cwd=CHECKOUT,
            env=self.environment,
            text=True,
            capture_output=True,
            timeout=60,
        )

    def hold(self) -> subprocess.Popen[str]:
        """A process that uses the servers until its input closes; returns once it has them."""
        holder = self.start("-m", "crm.embedded", "run", "--", "sh", "-c", "echo $DATABASE_URL; cat")
        assert holder.stdout is not None and holder.stdout.readline().startswith("postgresql://")
        return holder

    def python(self, code: str) -> str:
        """What a program prints that has the servers at hand."""
        done = self.run("-m", "crm.embedded", "run", "--", sys.executable, "-c", PRELUDE + code)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def postmaster(self) -> int | None:
        """The process id of the running PostgreSQL, None when there is none."""
        try:
            pid = int((self.var / "postgres" / "data" / "postmaster.pid").read_text().split()[0])
        except FileNotFoundError:
            return None
        return pid if alive(pid) else None

    def valkey(self) -> int | None:
        try:
            pid = int((self.var / "valkey" / "valkey.pid").read_text())
        except FileNotFoundError:
            return None
        return pid if alive(pid) else None

    def remove(self) -> None:
        if self.postmaster() or self.valkey():  # left by a test that failed
            self.run("-m", "crm.embedded", "run", "--", "true")
        home = self.var / "postgres"
        if home.is_symlink():
            shutil.rmtree(home.resolve())
        shutil.rmtree(self.var)


PRELUDE = """
import os, psycopg, redis, dj_database_url
where = dj_database_url.parse(os.environ["DATABASE_URL"])
db = psycopg.connect(host=where["HOST"], user=where["USER"], dbname=where["NAME"], autocommit=True)
valkey = redis.Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)
"""


def alive(pid: int) -> bool:
    """Whether a process is there and not merely waiting to be buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def until(condition: Callable[[], object], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return bool(condition())


def finish(process: subprocess.Popen[str]) -> None:
    """Close its input and wait for it."""
    process.communicate(timeout=60)


@pytest.fixture
def installation() -> Iterator[Installation]:
    with tempfile.TemporaryDirectory(prefix="crm-ops-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        made = Installation(Path(folder) / "var")
        yield made
        if made.var.exists():
            made.remove()
