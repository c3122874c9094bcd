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

# the same on lifetimes' own summary of the sample, whose times have two decimals
BG_ROUNDED_TIMES = {"r": 0.242593, "alpha": 4.413532, "a": 0.792886, "b": 2.425754}
BG_ROUNDED_TIMES_LOG_LIKELIHOOD = -9582.4256

# the same paper; standard errors and log-likelihood from CLVTools
PARETO_PUBLISHED = {"r": 0.553, "alpha": 10.578, "s": 0.606, "beta": 11.669}
PARETO_LOG_LIKELIHOOD = -9594.9762
PARETO_STANDARD_ERRORS = (0.0476, 0.8427, 0.187, 6.20)
# where CLVTools stopped: the ridge of s and beta is flat
PARETO_CLVTOOLS = {"r": 0.553270, "alpha": 10.57780, "s": 0.606020, "beta": 11.66391}
# all 78 weeks (BTYD and an own program), and the log-likelihood of the first 39 at these
PARETO_78 = {"r": 0.5630, "alpha": 12.5586, "s": 0.4082, "beta": 10.5178}
PARETO_78_LOG_LIKELIHOOD_39 = -9608.25
# gamma-gamma on all 78 weeks, and the mean it gives the population
GG_78 = {"p": 4.683, "q": 4.190, "gamma": 24.391}
GG_78_MEAN = 35.81

# lifetimes' test and BTYDplus (R)
MBG_FULL = {"r": 0.524844, "alpha": 6.183093, "a": 0.891388, "b": 1.614048}
MBG_LOG_LIKELIHOOD = -9582.136

# Fader & Hardie (2013), note 025; log-likelihood and standard errors from CLVTools and BTYD
GG_PUBLISHED = {"p": 6.25, "q": 3.74, "gamma": 15.44}
GG_FULL = {"p": 6.249349, "q": 3.744256, "gamma": 15.444307}
GG_LOG_LIKELIHOOD = -4055.9177
GG_STANDARD_ERRORS = (1.190, 0.290, 4.160)

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
# the 39 weeks after, of E[Y(39)] against what was bought (2,357 customers), from two programs; the
# correlations and the zero class are in the paper too
HOLDOUT = {
    "bgnbd": {"correlation": 0.626, "bias": -0.121, "mean_absolute_error": 0.785, "one_time_buyers": 0.23},
    "paretonbd": {
        "correlation": 0.630,
        "bias": -0.115,
        "mean_absolute_error": 0.755,
        "one_time_buyers": 0.14,
    },
}
CORRELATION_OF_BG_AND_PARETO = 0.996
# purchases after, and number, of the customers without a repeat purchase
ONE_TIME_BUYERS = (334, 1411)
# how well the histogram of x is fitted: chi-square with 3 degrees of freedom (the paper)
CHI_SQUARE = {"bgnbd": 4.82, "paretonbd": 11.99}
# repeat sales up to week 78, and how far the unconditional expectation is off them
REPEAT_SALES_78 = {"sample": 4339, "master": 44_021}
TRACKING_78 = {
    "sample": {"bgnbd": -0.041, "mbgnbd": -0.067, "paretonbd": -0.016},
    "master": {"bgnbd": -0.062, "mbgnbd": -0.092, "paretonbd": -0.043},
}


@cache
def sample() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """x, t_x, T in weeks and m in dollars of the 2,357 sampled customers, weeks 1-39.

    m is the mean of the repeat purchase days, 0 where there is none.
    """
    return tuple(np.array(column) for column in zip(*map(_summary, _log().values()), strict=True))


@cache
def rounded_sample() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x, t_x, T of the sample as lifetimes ships them, in weeks with two decimals."""
    table = np.loadtxt(_path().with_name("cdnow_customers_summary.csv"), delimiter=",", skiprows=1)
    return table[:, 1], table[:, 2], table[:, 3]


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
