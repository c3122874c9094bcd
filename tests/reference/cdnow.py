"""CDNOW: customers of a music shop who first bought in the first quarter of 1997.

The purchase log ships inside the ``lifetimes`` wheel (CDNOW_sample.txt: master id, sample id,
yyyymmdd, CDs, dollars; a tenth of the master). Orders of one day are one purchase; time is in
weeks; 1997-01-01..1997-09-30 is the calibration period of all published figures.
"""

from __future__ import annotations

from datetime import date
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

END = date(1997, 9, 30)


@cache
def sample() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """x, t_x, T in weeks and m in dollars of the 2,357 sampled customers, weeks 1-39.

    m is the mean of the repeat purchase days, 0 where there is none or where all were free.
    """
    spent: dict[str, dict[date, float]] = {}
    for line in _path().read_text().splitlines():
        _, customer, day, _, dollars = line.split()
        on = date(int(day[:4]), int(day[4:6]), int(day[6:]))
        if on <= END:
            days = spent.setdefault(customer, {})
            days[on] = days.get(on, 0.0) + float(dollars)
    return tuple(
        np.array(column) for column in zip(*map(_summary, spent.values()), strict=True)
    )


def _summary(days: dict[date, float]) -> tuple[float, float, float, float]:
    dates = sorted(days)
    first, repeats = dates[0], dates[1:]
    mean = sum(days[on] for on in repeats) / len(repeats) if repeats else 0.0
    return len(repeats), (dates[-1] - first).days / 7, (END - first).days / 7, mean


def _path() -> Path:
    spec = find_spec("lifetimes")
    return Path(spec.submodule_search_locations[0]) / "datasets" / "CDNOW_sample.txt"
