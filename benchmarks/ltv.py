"""Customer lifetime value: ltv.core beside lifetimes and pymc-marketing, at 2,357, 100,000 and 1,000,000 customers.

The same purchases for everybody: CDNOW's sample, and simulated shops with some ten purchases a customer. Each peer
has an environment of its own, each part runs alone in a process with one thread, and memory is what the process
grew while it ran. All maximise the same likelihood, and the bench stops if their answers differ. Compiling its model
is part of pymc-marketing's fit; importing it is not counted.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import ltv_data
from benchmarks.figures import Figure
from benchmarks.ltv_environments import PEERS, interpreter
from benchmarks.servers import ROOT

SIZES = (2_357, 100_000, 1_000_000)
WORKS = {
    "rfm": "RFM summary",
    "fit_transactions": "fit BG/NBD",
    "fit_spend": "fit gamma-gamma",
    "predict": "P(alive), E[Y], E(M)",
    "value": "CLV of 12 months",
    "chain": "fit and predictions",
    "night": "night: 3 fits, all predictions, ranges",
}
UNITS = {"wall": "s", "cpu": "CPU s", "megabytes": "MB more"}
# everybody has one thread: what a second one gains or loses depends on what else the machine does
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
# at a million customers: the share of the peers' time, and what fit and predictions may take in themselves
LARGE, GOAL_SHARE = 1_000_000, 1 / 20
LIMITS = {"wall": 2.5, "megabytes": 300.0}
# the peers discount a month's purchases at its end, we discount them as they come
AGREE, AGREE_ON_VALUE = 2e-3, 0.03

Costs = dict[str, dict[str, float]]


def run(sizes: tuple[int, ...] = SIZES) -> list[Figure]:
    """Measure every size, the small ones first."""
    pythons = {peer: interpreter(peer) for peer in PEERS}
    return [figure for size in sizes for figure in at_size(size, pythons)]


def at_size(customers: int, pythons: dict[str, Path]) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ltv_data.write(folder, customers)
        ours = measured("ours", Path(sys.executable), folder, ("rfm", "steps", "chain", "night"))
        peers = {
            peer: measured(peer, python, folder, ("rfm", "steps", "chain"))
            for peer, python in pythons.items()
        }
    for peer, theirs in peers.items():
        _agree(peer, ours["answers"], theirs["answers"])
    yield from _beside_peers(
        customers, ours["costs"], {peer: found["costs"] for peer, found in peers.items()}
    )
    yield from _in_itself(customers, ours["costs"])


def measured(peer: str, python: Path, folder: Path, parts: tuple[str, ...]) -> dict[str, Any]:
    """Costs by work and answers by name, each part in a process of its own."""
    environment = {**os.environ, **dict.fromkeys(THREADS, "1"), "PYTHONWARNINGS": "ignore"}
    module = f"benchmarks.ltv_with_{peer.replace('-', '_')}"
    costs: Costs = {}
    answers: dict[str, float] = {}
    for part in parts:
        done = subprocess.run(
            [str(python), "-m", module, str(folder), part],
            env=environment, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        found = json.loads(done.stdout.strip().splitlines()[-1])
        costs |= found["costs"]
        answers |= found["answers"]
    return {"costs": costs, "answers": answers}


def _agree(peer: str, ours: dict[str, float], theirs: dict[str, float]) -> None:
    for name, value in ours.items():
        tolerance = AGREE_ON_VALUE if name == "value" else AGREE
        if abs(theirs[name] / value - 1.0) > tolerance:
            raise RuntimeError(f"{peer} did other work: {name} is {theirs[name]}, ours {value}")


def _beside_peers(customers: int, ours: Costs, peers: dict[str, Costs]) -> Iterator[Figure]:
    for key, work in WORKS.items():
        for peer, theirs in peers.items():
            for measure, unit in UNITS.items():
                if key in theirs:
                    goal = GOAL_SHARE if (key, measure) == ("chain", "wall") and customers >= LARGE else None
                    name = f"{customers:,}: {work}"
                    figure, beside = ours[key][measure], theirs[key][measure]
                    yield Figure("ltv", name, figure, unit, peer, beside, goal)


def _in_itself(customers: int, ours: Costs) -> Iterator[Figure]:
    for key in ("chain", "night") if customers >= LARGE else ("night",):
        for measure, unit in UNITS.items():
            limit = LIMITS.get(measure) if customers >= LARGE else None
            work, goal = f"{customers:,}: {WORKS[key]}", None if limit is None else 1.0
            yield Figure("ltv", work, ours[key][measure], unit, "limit" if limit else "", limit, goal)
