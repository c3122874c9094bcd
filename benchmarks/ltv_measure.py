"""Runs in every peer's environment: times each step of a valuation, alone in its process, and prints what it cost."""

import gc
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Protocol

import numpy as np

HORIZON, MONTHS, MONTH, MARGIN = 365.0, 12, 30.0, 0.3
MONTHLY_DISCOUNT = 0.01
# what is over sooner is repeated, and the median counts
REPEAT_BELOW, REPEATS = 2.0, 5
STEPS = ("fit_transactions", "fit_spend", "predict", "value")


@dataclass(frozen=True)
class Data:
    """What ``ltv_data.write`` wrote."""

    customers: np.ndarray
    days: np.ndarray
    amounts: np.ndarray
    x: np.ndarray
    t_x: np.ndarray
    T: np.ndarray
    m: np.ndarray
    until: int

    @classmethod
    def read(cls, folder: Path) -> "Data":
        names = ("customers", "days", "amounts", "x", "t_x", "T", "m")
        return cls(*(np.load(folder / f"{name}.npy") for name in names), int((folder / "until").read_text()))


@dataclass(frozen=True)
class Cost:
    """Seconds on the clock and of the processor; megabytes the memory grew at most."""

    wall: float
    cpu: float
    megabytes: float


class Peer(Protocol):
    """A valuation in five steps, each using what the ones before left behind."""

    def rfm(self) -> object: ...
    def fit_transactions(self) -> object: ...
    def fit_spend(self) -> object: ...
    def predict(self) -> object: ...
    def value(self) -> object: ...
    def answers(self) -> dict[str, float]: ...


def measure(step: Callable[[], object]) -> Cost:
    """What a step costs; of a quick one the median time of a few runs and the most memory."""
    costs: list[Cost] = []
    while not costs or (len(costs) < REPEATS and costs[0].wall < REPEAT_BELOW):
        gc.collect()
        before = _reset_peak()
        wall, cpu = time.perf_counter(), time.process_time()
        step()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        costs.append(Cost(wall, cpu, _megabytes("VmHWM") - before))
    return Cost(
        median(cost.wall for cost in costs),
        median(cost.cpu for cost in costs),
        max(cost.megabytes for cost in costs),
    )


def _reset_peak() -> float:
    """Memory now, from which the peak is counted again."""
    Path("/proc/self/clear_refs").write_text("5")
    return _megabytes("VmRSS")


def _megabytes(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


def main(peer: Callable[[Data], Peer]) -> None:
    """``FOLDER PART`` prints the costs of a part (rfm, steps, chain, night), and answers to compare."""
    folder, part = Path(sys.argv[1]), sys.argv[2]
    work = peer(Data.read(folder))
    steps = {name: getattr(work, name) for name in STEPS}
    if part == "steps":
        costs = {name: measure(step) for name, step in steps.items()}
    elif part == "chain":
        costs = {part: measure(lambda: [step() for step in steps.values()])}
    else:
        costs = {part: measure(getattr(work, part))}
    answers = work.answers() if part in ("steps", "chain") else {}
    print(json.dumps({"costs": {name: asdict(cost) for name, cost in costs.items()}, "answers": answers}))
