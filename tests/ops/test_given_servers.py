"""With DATABASE_URL and REDIS_URL set, the same code runs on the servers of the machine, where it has any."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
REDIS = shutil.which("redis-server")
WHAT_THE_DATABASE_MUST_KNOW = ["tests/ltv/test_summaries.py", "tests/ops/given_servers_check.py"]

pytestmark = [
    pytest.mark.skipif(not POSTGRES, reason="no PostgreSQL of the machine's own"),
    pytest.mark.skipif(not REDIS, reason="no Redis of the machine's own"),
]


def as_owner(command: list[str]) -> list[str]:
    """PostgreSQL refuses to run as root: its package brings a user of its own."""
    return ["runuser", "-u", "postgres", "--", *command] if os.geteuid() == 0 else command


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    made = Path("/tmp") / f"given-{os.getpid()}"
    made.mkdir()
    made.chmod(0o777)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def database_url(folder: Path) -> Iterator[str]:
    tools, data = POSTGRES[-1].parent, folder / "pg"
    subprocess.run(
        as_owner(
            [f"{tools}/initdb", "-D", str(data), "-A", "trust", "-U", "crm", "--locale=C.UTF-8", "-E", "UTF8"]
        ),
        check=True,
        capture_output=True,
        cwd="/",
    )
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
    control = [f"{tools}/pg_ctl", "-D", str(data), "-w", "-o", options, "-l", str(folder / "pg.log")]
    subprocess.run(as_owner([*control, "start"]), check=True, capture_output=True, cwd="/")
    yield f"postgresql://crm@{str(folder).replace('/', '%2F')}/postgres"
    subprocess.run(as_owner([*control, "-m", "immediate", "stop"]), check=True, capture_output=True, cwd="/")


@pytest.fixture
def redis_url(folder: Path) -> Iterator[str]:
    port = free_port()
    server = subprocess.Popen(
        [str(REDIS), "--port", str(port), "--dir", str(folder), "--save", ""], stdout=subprocess.DEVNULL
    )
    yield f"redis://127.0.0.1:{port}/0"
    server.terminate()
    server.wait()


def test_the_code_runs_on_the_servers_it_is_given(database_url: str, redis_url: str, folder: Path):
    environment = {
        **os.environ,
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "CRM_VAR_DIR": str(folder / "var"),
        "SECRET_KEY": "for this test only, and long enough to be one of the real thing",
    }

    found = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", *WHAT_THE_DATABASE_MUST_KNOW],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )

    assert found.returncode == 0, found.stdout[-3000:]
    assert " passed" in found.stdout
    assert not (folder / "var" / "postgres").exists()
