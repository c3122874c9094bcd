"""``manage.py up``, which bin/up runs: what it refuses in one line, and a whole life from start to Ctrl-C."""

import signal
import socket
import subprocess
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.ops.conftest import CHECKOUT, alive
from tests.ports import free_port


@pytest.fixture
def port() -> int:
    return free_port()


def _with_given_servers(installation) -> None:
    """It refuses before it looks at any server, so none needs to be started."""
    installation.extra |= {"DATABASE_URL": "postgresql://nowhere/crm", "REDIS_URL": "redis://nowhere"}


def _processes_of(installation) -> list[str]:
    """The command lines of all that was started for this installation and still runs."""
    wanted = f"CRM_VAR_DIR={installation.var}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (process / "environ").read_bytes().split(b"\0") and alive(int(process.name)):
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue  # it ended while we looked, or belongs to another user
    return found


def test_a_port_in_use_is_refused_in_one_line(installation):
    _with_given_servers(installation)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        installation.extra["PORT"] = str(port)

        done = installation.run("manage.py", "up")

    assert done.returncode == 1
    assert (
        done.stderr
        == f"CommandError: Port {port} is in use (perhaps bin/up already runs); set PORT to another.\n"
    )


@pytest.mark.parametrize("port", ["web", "0", "65536", "-1"])
def test_a_port_that_is_none_is_refused_in_one_line(installation, port):
    done = subprocess.run(
        ["bash", CHECKOUT / "bin" / "up"],
        env=installation.environment | {"PORT": port},
        text=True,
        capture_output=True,
    )

    assert done.returncode == 1
    assert done.stderr == f"error: PORT is '{port}': it must be a number from 1 to 65535.\n"
    assert not installation.var.exists()


def test_it_serves_pages_until_ctrl_c_and_then_leaves_nothing_running(installation, port):
    installation.extra["PORT"] = str(port)
    up = installation.start("manage.py", "up", "--empty")
    printed = []
    for line in up.stdout:
        printed.append(line)
        if "Ready: " in line:
            break

    assert "Ready: " in printed[-1], [*printed, *up.stderr]

    with urlopen(f"http://127.0.0.1:{port}/admin/login/", timeout=10) as page:
        assert page.status == 200
    up.send_signal(signal.SIGINT)
    rest, errors = up.communicate(timeout=60)

    assert up.returncode == 0, errors
    assert rest.splitlines()[-1] == "Stopped."
    assert f"password {(installation.var / 'owner_password').read_text().strip()}" in "".join(printed)
    assert (installation.postmaster(), installation.valkey()) == (None, None)
    assert _processes_of(installation) == []
