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

START_OF_HOLDOUT = date(1997, 9, 30)

# Fader, Hardie & Lee (2005), Marketing Science 24(2) 275-284, table 2, weeks 1-39
BG_PUBLISHED = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
BG_LOG_LIKELIHOOD = -9582.4292
BG_STANDARD_ERRORS = (0.012557, 0.378224, 0.185733, 0.705407)  # BTYD and CLVTools (R)
BG_FULL = {"r": 0.2425945, "alpha": 4.4136019, "a": 0.7929199, "b": 2.4258881}

# lifetimes' test and BTYDplus (R)
MBG_FULL = {"r": 0.524844, "alpha": 6.183093, "a": 0.891388, "b": 1.614048}
MBG_LOG_LIKELIHOOD = -9582.136

# Fader & Hardie (2013), note 025; log-likelihood and standard errors from CLVTools and BTYD
GG_PUBLISHED = {"p": 6.25, "q": 3.74, "gamma": 15.44}
GG_FULL = {"p": 6.249349, "q": 3.744256, "gamma": 15.444307}
GG_LOG_LIKELIHOOD = -4055.9177
GG_STANDARD_ERRORS = (1.190, 0.290, 4.160)

# x, t_x, T in weeks; BTYD (R) at the published parameters, Hardie's Excel for the third (1.226)
WORKED = (
    # x, t_x, T, BG P(alive), BG E[Y(39)], BG E[Y(52)]
    (0, 0, 38.86, 1.0, 0.195098, 0.252073),
    (1, 1.71, 38.86, 0.212101, 0.203187, 0.259823),
    (2, 30.43, 38.86, 0.726579, 1.226028, 1.558721),
    (7, 29.43, 38.86, 0.641756, 3.337053, 4.198856),
    (26, 30.86, 31, 0.968916, 20.749726, 25.758196),
    (10, 20, 39, 0.038114, 0.276654, 0.347400),
    (15, 20, 39, 0.00319344, 0.034170, 0.042827),
    (25, 20, 39, 1.630166e-5, 2.863756e-4, 3.583325e-4),
)
WORKED_MODIFIED = (
    # x, t_x, T, MBG P(alive), MBG E[Y(39)] at lifetimes' parameters
    (0, 0, 38.86, 0.389714, 0.153954),
    (1, 1.71, 38.86, 0.170818, 0.188787),
    (2, 30.43, 38.86, 0.706122, 1.262657),
    (7, 29.43, 38.86, 0.622633, 3.166748),
)
# weeks, E[X(t)] of a new customer at the published parameters
NEW_CUSTOMER = (
    (1, 0.053268),
    (10, 0.432413),
    (26, 0.902637),
    (39, 1.196723),
    (52, 1.446051),
    (78, 1.860519),
    (104, 2.202805),
)
# P(X(30) = 11..20), Hardie's Excel
PMF_30 = (
    0.0019995214, 0.0015170236, 0.0011633150, 0.0009003148, 0.0007023638,
    0.0005517902, 0.0004361913, 0.0003467171, 0.0002769613, 0.0002222260,
)  # fmt: skip
# x, m, E(M) at p 6.25, q 3.74, gamma 15.44
SPEND = (
    (2, 22.35, 24.6637),
    (1, 11.77, 18.9169),
    (0, 0, 35.2190),
    (1, 100, 80.2558),
    (2, 20, 22.7362),
    (10, 100, 97.2793),
    (7, 50, 49.1288),
)
# the 39 weeks after: of E[Y(39)] against what was bought (2,357 customers), from two programs
HOLDOUT = {"correlation": 0.626, "bias": -0.121, "mean_absolute_error": 0.785}


@cache
def sample() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """x, t_x, T in weeks and m in dollars of the 2,357 sampled customers, weeks 1-39.

    m is the mean of the repeat purchase days, 0 where there is none.
    """
    return tuple(np.array(column) for column in zip(*map(_summary, _log().values()), strict=True))


@cache
def bought_in_holdout() -> np.ndarray:
    """Purchase days of the same customers in the 39 weeks after, in the same order."""
    return np.array([sum(on > START_OF_HOLDOUT for on in days) for days in _log().values()])


@cache
def purchases() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Customer, day and dollars of every row of the log, weeks 1-78."""
    rows = [line.split() for line in _path().read_text().splitlines()]
    days = [f"{on[:4]}-{on[4:6]}-{on[6:]}" for _, _, on, _, _ in rows]
    customers, dollars = [int(row[1]) for row in rows], [float(row[4]) for row in rows]
    return np.array(customers), np.array(days, "datetime64[D]"), np.array(dollars)


@cache
def _log() -> dict[str, dict[date, float]]:
    """Dollars of each purchase day of each customer."""
    spent: dict[str, dict[date, float]] = {}
    for line in _path().read_text().splitlines():
        _, customer, day, _, dollars = line.split()
        on = date(int(day[:4]), int(day[4:6]), int(day[6:]))
        days = spent.setdefault(customer, {})
        days[on] = days.get(on, 0.0) + float(dollars)
    return spent


def _summary(days: dict[date, float]) -> tuple[float, float, float, float]:
    dates = sorted(on for on in days if on <= START_OF_HOLDOUT)
    first, repeats = dates[0], dates[1:]
    mean = sum(days[on] for on in repeats) / len(repeats) if repeats else 0.0
    return len(repeats), (dates[-1] - first).days / 7, (START_OF_HOLDOUT - first).days / 7, mean


def _path() -> Path:
    spec = find_spec("lifetimes")
    return Path(spec.submodule_search_locations[0]) / "datasets" / "CDNOW_sample.txt"
