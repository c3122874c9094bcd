"""A closed loop of clients: each sends its next request when the last one is answered."""

import http.client
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Request:
    """What to ask, and how to know that the answer is the real page."""

    method: str
    path: str
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 200
    contains: bytes = b""


@dataclass
class Measured:
    """Milliseconds of each request, and the seconds all of it took."""

    milliseconds: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def p50(self) -> float:
        return sorted(self.milliseconds)[len(self.milliseconds) // 2]

    @property
    def rate(self) -> float:
        return len(self.milliseconds) / self.seconds

    def add(self, other: "Measured") -> None:
        self.milliseconds += other.milliseconds
        self.seconds += other.seconds


def drive(port: int, make: Callable[[int], Request], *, clients: int, seconds: float) -> Measured:
    """Run the loop for ``seconds``; ``make(n)`` is the n-th request.

    Raises:
        RuntimeError: an answer is not the page asked for.
    """
    results: list[list[float]] = [[] for _ in range(clients)]
    failures: list[str] = []
    start = time.monotonic()

    def client(number: int) -> None:
        connection, count = http.client.HTTPConnection("127.0.0.1", port, timeout=60), number * 1_000
        while time.monotonic() - start < seconds and not failures:
            request, begun = make(count), time.perf_counter()
            connection.request(request.method, request.path, request.body or None, request.headers)
            answer = connection.getresponse()
            data = answer.read()
            results[number].append(1000 * (time.perf_counter() - begun))
            if answer.status != request.status or request.contains not in data:
                failures.append(f"{request.method} {request.path}: {answer.status} {data[:200]!r}")
            count += 1
        connection.close()

    threads = [threading.Thread(target=client, args=(n,)) for n in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise RuntimeError(failures[0])
    return Measured([ms for part in results for ms in part], time.monotonic() - start)
