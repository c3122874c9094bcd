"""``python -m benchmarks.night_readers CUSTOMERS PORT STOP_FILE``: pages and their queries in a loop until the file is there.

Each query is one the staff's pages ask, as they ask it; each answer must be of one run and whole. A page
asks several in turn, in one moment: that no two of them fell on both sides of a publish is counted, too.
The pages themselves are asked of the web server at the port, signed in.
"""

import http.client
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

import django

django.setup()

import numpy as np  # noqa: E402

from benchmarks.seed import sign_in  # noqa: E402
from crm.common import sql  # noqa: E402
from customers.models import Segment  # noqa: E402
from ltv import reports  # noqa: E402
from ltv.models import CustomerLtv  # noqa: E402

PAGE = 50
PAUSE = 0.005
SEED = 11

Rows = list[tuple[int, int]]  # customer and run
Sample = tuple[float, float]  # when, on the clock all processes share, and the milliseconds it took


class Readers:
    """Pages and queries in turn, as one member of staff after another."""

    def __init__(self, customers: int, port: int) -> None:
        self.rng = np.random.default_rng(SEED)
        self.customers = customers
        self.segments = list(
            Segment.objects.filter(member_count__gt=0).order_by("pk").values_list("pk", flat=True)
        )
        self.server = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.cookies = {"Cookie": f"sessionid={sign_in()}"}
        self.samples: dict[str, list[Sample]] = defaultdict(list)
        self.answers = self.mixed = self.pages = self.across = 0

    def turn(self) -> None:
        self._ask("list query", self._list, PAGE)
        self._ask("point query", self._point, 1)
        self._page("list page", "/admin/customers/")
        self._page("customer page", f"/admin/customers/{self._anybody()}/")
        if self.segments:
            segment = int(self.rng.choice(self.segments))
            self._segment(segment)
            self._page("segment page", f"/admin/segments/{segment}/")

    def _page(self, name: str, path: str) -> None:
        begun, at = time.perf_counter(), time.monotonic()
        self.server.request("GET", path, headers=self.cookies)
        answer = self.server.getresponse()
        data = answer.read()
        self.samples[name].append((at, 1000 * (time.perf_counter() - begun)))
        if answer.status != HTTPStatus.OK or b"</h1>" not in data:
            raise RuntimeError(f"{path}: {answer.status} {data[:200]!r}")

    def _ask(self, name: str, query: Callable[[], Rows], expected: int) -> Rows:
        """Time the answer, and see that all of it is of one run and nobody is missing."""
        begun, at = time.perf_counter(), time.monotonic()
        found = query()
        self.samples[name].append((at, 1000 * (time.perf_counter() - begun)))
        self.answers += 1
        runs = {run for _customer, run in found}
        if len(runs) != 1 or len(found) != expected:
            self.mixed += 1
            what = f"{name} at {at:.3f}: {len(found)} rows of {expected}, runs {sorted(runs)}"
            print(f"not whole: {what}, in force {reports.current_run()}", file=sys.stderr, flush=True)
        return found

    def _list(self) -> Rows:
        ordered = CustomerLtv.objects.filter(clv__isnull=False).order_by("-clv", "-pk")
        return list(ordered.values_list("pk", "run_id")[:PAGE])

    def _point(self) -> Rows:
        card = reports.value_card(self._anybody())
        return [_pair(card.figures)] if card else []

    def _anybody(self) -> int:
        return int(self.rng.integers(self.customers)) + 1

    @sql.one_moment()
    def _segment(self, segment: int) -> None:
        run = reports.current_run()
        begun = time.perf_counter()
        members = reports.members_by_value(segment, skip=0, limit=PAGE)
        spent = 1000 * (time.perf_counter() - begun)
        if not members:
            return  # everybody left it in the meantime
        found = self._ask("segment query", lambda: [_pair(one) for one in CustomerLtv.objects.in_bulk(members).values()],
                          len(members))  # fmt: skip
        at, milliseconds = self.samples["segment query"][-1]
        self.samples["segment query"][-1] = at, milliseconds + spent
        self.pages += 1
        self.across += run is None or {one for _customer, one in found} != {run.pk}


def _pair(figures: CustomerLtv) -> tuple[int, int]:
    return figures.pk, figures.run_id  # type: ignore[attr-defined]


def main() -> None:
    readers, stop = Readers(int(sys.argv[1]), int(sys.argv[2])), Path(sys.argv[3])
    while not stop.exists():
        readers.turn()
        time.sleep(PAUSE)
    counts = {name: getattr(readers, name) for name in ("answers", "mixed", "pages", "across")}
    print(json.dumps({"samples": readers.samples, **counts}))


if __name__ == "__main__":
    main()
