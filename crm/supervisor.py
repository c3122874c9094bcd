"""Keeps a handful of processes alive and their output readable; knows nothing of Django or of what they do.

A process that ends is started again, later each time it fails soon. SIGINT or SIGTERM stops all of them, the
last started first. Nothing is left behind: each process leads its own group, which dies with it, and all get
SIGTERM from the kernel when we are killed.
"""

import ctypes
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO

COLOURS = ("36", "33", "32", "35", "34")
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
LONG_LIFE = 60.0  # a process that lived this long failed for a new reason
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Program:
    """A command to keep running, and how long it may take to finish its work."""

    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    patience: float = 15.0


@dataclass
class _Running:
    program: Program
    colour: str
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = FIRST_PAUSE
    due: float = 0.0
    rest: bytes = b""


class Supervisor:
    """Runs its programs until it is told to stop."""

    def __init__(
        self, programs: list[Program], *, out: IO[str] = sys.stdout, tend: Callable[[], None] = lambda: None
    ) -> None:
        """``tend`` is called about every second: a place to look after what the programs need."""
        self._all = [_Running(p, COLOURS[i % len(COLOURS)]) for i, p in enumerate(programs)]
        self._width = max(len(p.name) for p in programs)
        self._out, self._tend, self._tended = out, tend, time.monotonic()
        self._selector = selectors.DefaultSelector()
        self._stopping = False

    def run(self) -> None:
        handled = {number: signal.signal(number, self._stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            while not self._stopping:
                self._keep_running()
                self._pump(0.2)
        finally:
            for running in reversed(self._all):
                self._end(running)
            for number, before in handled.items():
                signal.signal(number, before)

    def _stop(self, _number: int, _frame: object) -> None:
        self._stopping = True

    def _keep_running(self) -> None:
        now = time.monotonic()
        for running in self._all:
            if running.process and running.process.poll() is not None:
                self._bury(running, now)
            if running.process is None and now >= running.due and not self._stopping:
                self._start(running, now)
        if now - self._tended > 1:
            self._tended = now
            self._tend()

    def _start(self, running: _Running, now: float) -> None:
        running.process = subprocess.Popen(
            running.program.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=os.environ | {"PYTHONUNBUFFERED": "1"} | running.program.environment,
            start_new_session=True,  # Ctrl-C in the terminal reaches us only, and we stop them in order
            preexec_fn=_die_with_parent,
        )
        running.started = now
        assert running.process.stdout is not None
        os.set_blocking(running.process.stdout.fileno(), False)
        self._selector.register(running.process.stdout, selectors.EVENT_READ, running)

    def _bury(self, running: _Running, now: float) -> None:
        assert running.process is not None
        status = running.process.returncode
        lived = now - running.started
        pause = FIRST_PAUSE if lived > LONG_LIFE else running.pause
        self._clear(running)
        self._say(running, f"ended with status {status} after {lived:.0f} s; starts again in {pause:.0f} s")
        running.due, running.pause = now + pause, min(pause * 2, LONGEST_PAUSE)

    def _end(self, running: _Running) -> None:
        if running.process is None:
            return
        running.process.terminate()
        deadline = time.monotonic() + running.program.patience
        while running.process.poll() is None and time.monotonic() < deadline:
            self._pump(0.05)
        if running.process.poll() is None:
            self._say(running, f"did not stop within {running.program.patience:.0f} s: killed")
        self._clear(running)

    def _clear(self, running: _Running) -> None:
        """Kill what is left of its group, print its last words, forget it."""
        process = running.process
        assert process is not None and process.stdout is not None
        with suppress(ProcessLookupError):  # it left nobody behind
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self._read(running)
        self._selector.unregister(process.stdout)
        process.stdout.close()
        running.process, running.rest = None, b""

    def _pump(self, seconds: float) -> None:
        if not self._selector.get_map():
            time.sleep(seconds)
        for key, _ in self._selector.select(seconds):
            self._read(key.data)

    def _read(self, running: _Running) -> None:
        assert running.process is not None and running.process.stdout is not None
        try:
            read = os.read(running.process.stdout.fileno(), 65536)
        except BlockingIOError:
            return
        if not read:
            time.sleep(0.02)  # closed its output while alive: no busy loop
        *lines, running.rest = (running.rest + read).split(b"\n")
        for line in lines:
            self._say(running, line.decode(errors="replace"))

    def _say(self, running: _Running, text: str) -> None:
        name = f"{running.program.name:<{self._width}} |"
        if self._out.isatty():
            name = f"\033[{running.colour}m{name}\033[0m"
        print(name, text, file=self._out, flush=True)


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
