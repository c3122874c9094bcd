"""Kaplan-Meier: how many stay how long, from tenures of which some have not ended, without a model.

Time is in any one unit. ``tenure`` is how long a customer has been seen, ``churned`` whether he left
at its end; the others are censored: known to stay at least so long. Leaving comes before censoring
at the same time. Censoring must tell nothing about leaving: a cohort taken over by another shop is
censored, one whose cards were about to expire is not.

Sources: Kaplan & Meier (1958), J. American Statistical Association 53, 457-481; Kalbfleisch &
Prentice (1980), The Statistical Analysis of Failure Time Data (the log-log interval).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from ltv.core.arrays import Floats, floats


@dataclass(frozen=True)
class KaplanMeier:
    """A survival curve: steps down at ``times``, shape (k,) each; flat between, 1 before the first.

    times: when somebody left, rising; at_risk: still seen just before; left: of them, at that time;
    survival: S(t), share that stays beyond; variance: Greenwood's, of S(t); low, high: log-log
    interval of S(t), pointwise. Where nobody is left the variance is 0, low is 0 and high that of
    the step before (1 at the first): the data do not say more.

    ``followed`` is the longest tenure: the curve says nothing of later times, unless it has come
    down to 0. ``customers`` and ``rejected`` count the rows used and those that cannot be.
    """

    times: Floats
    at_risk: Floats
    left: Floats
    survival: Floats
    variance: Floats
    low: Floats
    high: Floats
    followed: float
    customers: float
    rejected: int


def kaplan_meier(
    tenure: ArrayLike, churned: ArrayLike, weights: ArrayLike | None = None, confidence: float = 0.95
) -> KaplanMeier:
    """The curve of customers, each argument of shape (n,); weights are counts of equal customers.

    Rows with a negative or unknown tenure, or neither churned nor not, are left out and counted.

    Raises:
        ValueError: ``confidence`` is not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise ValueError("The confidence of an interval lies between 0 and 1.")
    seen, ends, counts = floats(tenure, churned, 1.0 if weights is None else weights)
    with np.errstate(invalid="ignore"):
        keep = (seen >= 0) & np.isfinite(seen) & ((ends == 0) | (ends == 1)) & (counts > 0)
    seen, counts = seen[keep], counts[keep]
    times, at_risk, left = _deaths(seen, ends[keep], counts)
    survival = np.cumprod(1.0 - left / at_risk, dtype=np.float64)
    relative = np.cumsum(_greenwood(at_risk, left), dtype=np.float64)
    low, high = _log_log(survival, relative, float(ndtri((1.0 + confidence) / 2)))
    return KaplanMeier(
        times=times,
        at_risk=at_risk,
        left=left,
        survival=survival,
        variance=np.where(survival > 0, survival**2 * relative, 0.0),
        low=low,
        high=high,
        followed=float(seen.max(initial=0.0)),
        customers=float(counts.sum()),
        rejected=int(keep.size - np.count_nonzero(keep)),
    )


def _deaths(tenure: Floats, churned: Floats, weights: Floats) -> tuple[Floats, Floats, Floats]:
    """Distinct times at which somebody left, how many were at risk then, and how many left."""
    times, index = np.unique(tenure, return_inverse=True)
    index = index.reshape(-1)
    ended = np.bincount(index, weights, minlength=len(times)).astype(np.float64)
    left = np.bincount(index, weights * churned, minlength=len(times)).astype(np.float64)
    at_risk = np.cumsum(ended[::-1])[::-1]
    some = left > 0
    return times[some], at_risk[some], left[some]


def _greenwood(at_risk: Floats, left: Floats) -> Floats:
    """left / (at_risk (at_risk - left)), 0 where nobody stays."""
    stay = at_risk - left
    return np.divide(left, at_risk * stay, out=np.zeros_like(left), where=stay > 0)


def _log_log(survival: Floats, relative: Floats, z: float) -> tuple[Floats, Floats]:
    """S^exp(-+ z se), se that of ln(-ln S) by Greenwood; inside (0, 1) where S is."""
    inside = survival > 0
    logs = np.log(survival, out=np.full_like(survival, -1.0), where=inside)
    spread = np.exp(z * np.sqrt(relative) / -logs)
    low = np.where(inside, np.exp(logs * spread), 0.0)
    high = np.exp(logs / spread)
    if not np.all(inside):
        high[-1] = high[-2] if len(high) > 1 else 1.0
    return low, high


def survival_at(curve: KaplanMeier, t: ArrayLike) -> Floats:
    """S(t), shape (n,): share that stays beyond t; NaN beyond what was followed.

    Raises:
        ValueError: a time is negative.
    """
    (t,) = floats(t)
    if np.any(t < 0):
        raise ValueError("Nobody's tenure is negative.")
    steps = np.concatenate([[1.0], curve.survival])
    found = steps[np.searchsorted(curve.times, t, side="right")]
    return np.where((t <= curve.followed) | (found == 0), found, np.nan)


def median(curve: KaplanMeier) -> tuple[float, float, float]:
    """The time by which half have left, and its interval at the confidence of the curve.

    The first time with S(t) <= 1/2; the ends are where the interval of S(t) first lies at or below
    1/2 in part, and as a whole. Infinite where the curve does not come down so far.

    Source: Brookmeyer & Crowley (1982), Biometrics 38, 29-41.
    """
    return _first_half(curve, curve.survival), _first_half(curve, curve.low), _first_half(curve, curve.high)


def _first_half(curve: KaplanMeier, steps: Floats) -> float:
    # products of fractions such as 7/14 x 10/10 may end a rounding above 1/2
    below = np.flatnonzero(steps <= 0.5 + 1e-12)
    return float(curve.times[below[0]]) if len(below) else np.inf


def restricted_mean(curve: KaplanMeier, until: float) -> tuple[float, float]:
    """Mean time stayed up to ``until``, the area below the curve, and its standard error.

    The error is Greenwood's: sum of (area beyond a step)^2 left / (at_risk (at_risk - left)).

    Raises:
        ValueError: ``until`` is negative, or nobody was followed so long.
    """
    if not until >= 0:
        raise ValueError("A mean is restricted to a time of 0 or more.")
    if until > curve.followed and not np.any(curve.survival == 0):
        raise ValueError(f"Nobody was followed until {until:g}, the longest was {curve.followed:g}.")
    before = curve.times < until
    ends = np.append(curve.times[before], until)
    areas = np.concatenate([[1.0], curve.survival[before]]) * np.diff(ends, prepend=0.0)
    beyond = np.cumsum(areas[::-1])[::-1][1:]
    variance = beyond**2 @ _greenwood(curve.at_risk[before], curve.left[before])
    return float(areas.sum()), float(np.sqrt(variance))
