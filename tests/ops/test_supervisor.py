import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.ops.conftest import CHECKOUT, alive, until


class Supervised:
    """A supervisor in a process of its own, over shell commands, with what it has printed so far."""

    def __init__(self, *programs: str) -> None:
        code = (
            "import sys; from crm.supervisor import *\n"
            "Supervisor([Program(f'p{i}', ['sh', '-c', c], patience=1.0) for i, c in enumerate(sys.argv[1:])]).run()\n"
            "print('supervisor out')"
        )
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, *programs], cwd=CHECKOUT, text=True, stdout=subprocess.PIPE
        )
        self.lines: list[str] = []

    def line(self) -> str:
        assert self.process.stdout is not None
        self.lines.append(self.process.stdout.readline().rstrip("\n"))
        return self.lines[-1]

    def pids(self, count: int) -> list[int]:
        """The first numbers that the programs print: their process ids."""
        return [int(self.line().split("| ")[1]) for _ in range(count)]

    def stop(self, number: int) -> str:
        self.process.send_signal(number)
        rest, _ = self.process.communicate(timeout=20)
        return rest


@pytest.fixture
def supervise() -> Iterator[type]:
    started: list[Supervised] = []

    def start(*programs: str) -> Supervised:
        started.append(Supervised(*programs))
        return started[-1]

    yield start
    for supervised in started:
        if supervised.process.poll() is None:
            supervised.process.terminate()
        supervised.process.communicate(timeout=20)


def test_ctrl_c_stops_everything_and_leaves_no_orphan(supervise):
    with_children = "sleep 100 & echo $!; echo $$; wait"
    supervised = supervise(with_children, with_children)
    pids = supervised.pids(4)

    rest = supervised.stop(signal.SIGINT)

    assert rest.splitlines()[-1] == "supervisor out"
    assert supervised.process.returncode == 0
    assert [pid for pid in pids if alive(pid)] == []


def test_programs_stop_in_reverse_order(supervise):
    says_goodbye = "trap 'echo bye; exit 0' TERM; echo $$; while :; do sleep 0.05; done"
    supervised = supervise(says_goodbye, says_goodbye, says_goodbye)
    supervised.pids(3)

    rest = supervised.stop(signal.SIGTERM)

    assert rest.splitlines() == ["p2 | bye", "p1 | bye", "p0 | bye", "supervisor out"]


def test_a_program_that_ignores_the_request_is_killed(supervise):
    supervised = supervise("trap '' TERM; echo $$; while :; do sleep 0.05; done")
    (stubborn,) = supervised.pids(1)

    rest = supervised.stop(signal.SIGTERM)

    assert "p0 | did not stop within 1 s: killed" in rest
    assert not alive(stubborn)


def test_a_program_that_crashes_starts_again_and_its_children_do_not_stay(supervise):
    supervised = supervise("sleep 100 & echo $!; exit 3")
    (orphan,) = supervised.pids(1)

    ended = supervised.line()
    (second,) = supervised.pids(1)

    assert ended == "p0 | ended with status 3 after 0 s; starts again in 1 s"
    assert not alive(orphan)
    assert second != orphan


def test_when_the_supervisor_is_killed_its_programs_end(supervise):
    supervised = supervise("echo $$; exec sleep 100", "echo $$; exec sleep 100")
    pids = supervised.pids(2)

    os.kill(supervised.process.pid, signal.SIGKILL)

    assert until(lambda: not any(alive(pid) for pid in pids))
