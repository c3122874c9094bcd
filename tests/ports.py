"""Ports for servers that tests start."""

import socket
from contextlib import suppress
from random import SystemRandom

# below those that the system gives away, so that nobody else is given one before its server opens it
OURS = range(20_000, 32_000)


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    for port in SystemRandom().sample(OURS, len(OURS)):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")
