"""Which parameters the night uses when the fit is not to be trusted, and why.

The ladder: the fit of today; the last good parameters; a fit held by a prior; a plain heuristic.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields
from typing import Any, Generic

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammainc

from ltv.core import bgnbd, clv
from ltv.core.arrays import Floats, floats, usable
from ltv.core.bgnbd import BgNbd
from ltv.core.fitting import Fit, Params
from ltv.core.gamma_gamma import shrunken_spend

MIN_CUSTOMERS = 200
MIN_REPEATERS = 50
# below this not even the prior helps
MIN_POOLED_CUSTOMERS = 10
MAX_DRIFT = 3.0
NIGHTLY_RIDGE = 0.05
POOLED_RIDGE = 0.5

OWN, LAST, POOLED, FORMULA = "own", "last", "pooled", "formula"


@dataclass(frozen=True)
class Choice(Generic[Params]):
    """The step taken, its parameters (None for ``formula``) and why no earlier step was taken."""

    step: str
    params: Params | None
    reasons: tuple[str, ...]


def enough_data(customers: int, repeaters: int) -> tuple[str, ...]:
    """Reasons why the data are too few for an own fit; empty when they suffice."""
    reasons = []
    if customers < MIN_CUSTOMERS:
        reasons.append(f"{customers} customers, {MIN_CUSTOMERS} needed")
    if repeaters < MIN_REPEATERS:
        reasons.append(f"{repeaters} customers with a repeat purchase, {MIN_REPEATERS} needed")
    return tuple(reasons)


def choose(
    own: Fit[Params] | None,
    last: Params | None,
    pooled: Fit[Params] | None,
    own_ll_at_last: float | None = None,
) -> Choice[Params]:
    """Take the first step of the ladder that holds.

    ``last`` are the parameters in use yesterday, ``own_ll_at_last`` the log-likelihood of today's
    data at them: a new optimum that is worse than the old parameters is no optimum. A parameter
    more than a factor 3 from yesterday's is refused too; a person should look.
    """
    reasons = objections(own, last, own_ll_at_last)
    if own is not None and not reasons:
        return Choice(OWN, own.params, ())
    if last is not None:
        return Choice(LAST, last, reasons)
    reasons = (*reasons, "no earlier parameters")
    against = _against_pooled(pooled)
    if pooled is not None and not against:
        return Choice(POOLED, pooled.params, reasons)
    return Choice(FORMULA, None, (*reasons, *against))


def objections(own: Fit[Params] | None, last: Params | None, own_ll_at_last: float | None) -> tuple[str, ...]:
    """Why an own fit is not taken; empty when it is."""
    if own is None:
        return ("no own fit",)
    reasons = [*enough_data(own.customers, own.repeaters), *own.flags]
    if not own.converged and "not_converged" not in own.flags:
        reasons.append("not_converged")
    if own_ll_at_last is not None and own.log_likelihood < own_ll_at_last - _slack(own_ll_at_last):
        reasons.append("fits today's data worse than the parameters in use")
    if last is not None:
        reasons += _drifted(own.params, last)
    return tuple(reasons)


def _slack(log_likelihood: float) -> float:
    """What the ridge and rounding may cost."""
    return 0.1 + 1e-9 * abs(log_likelihood)


def _drifted(new: Any, old: Any) -> list[str]:
    names = [field.name for field in fields(new)]
    return [
        f"{name} moved from {before:.4g} to {after:.4g}"
        for name, before, after in zip(names, astuple(old), astuple(new), strict=True)
        if not before / MAX_DRIFT <= after <= before * MAX_DRIFT
    ]


def _against_pooled(pooled: Fit | None) -> tuple[str, ...]:
    if pooled is None:
        return ("no pooled fit",)
    few = pooled.customers < MIN_POOLED_CUSTOMERS or pooled.repeaters == 0
    return (
        *(("too few customers even for a pooled fit",) if few else ()),
        *pooled.flags,
    )


def pooled_fit(x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> Fit[BgNbd]:
    """BG/NBD for a small shop: its own data, held near what shops usually are (ridge .5)."""
    return bgnbd.fit(x, t_x, T, ridge=POOLED_RIDGE)


def heuristic(
    x: ArrayLike,
    t_x: ArrayLike,
    T: ArrayLike,
    m: ArrayLike,
    horizon: float,
    churn_horizon: float,
    margin_rate: ArrayLike,
    annual_discount: float,
) -> clv.Predictions:
    """Predictions without a model, to be labelled as such; arguments as ``clv.predict``.

    Own rate of purchase, drawn towards the shop's as if half a purchase at that rate had been
    seen. A customer counts as active until silent for twice the usual gap 1/rate, then ever less
    (after four gaps, half). Counts are Poisson while active; spend is the shrunken own mean; the
    discount is that of the middle of the horizon.
    """
    x, t_x, T, m, margin_rate = floats(x, t_x, T, m, margin_rate)
    sound = usable(x, t_x, T)
    x, t_x, T = (np.where(sound, array, 0.0) for array in (x, t_x, T))
    rate = _rates(x, T)
    alive = 2.0 / np.maximum(2.0, rate * (T - t_x))
    purchases = alive * rate * horizon
    spend = shrunken_spend(np.where(sound, x, 0.0), m)
    low, high = (_poisson_quantile(alive, rate * horizon, q) for q in (0.1, 0.9))
    discount = (1.0 + annual_discount) ** (-horizon / 2 / clv.DAYS_PER_YEAR)
    columns = {
        "p_alive": alive,
        "p_no_purchase": 1.0 + alive * np.expm1(-rate * churn_horizon),
        "expected_purchases": purchases,
        "purchases_low": low,
        "purchases_high": high,
        "expected_spend_per_purchase": spend,
        "expected_value": purchases * spend,
        "value_low": low * spend,
        "value_high": high * spend,
        "clv": purchases * spend * margin_rate * discount,
        "next_purchase_days": np.log(2.0) / rate,
    }
    return clv.assemble(sound, columns)


def _rates(x: Floats, T: Floats) -> Floats:
    """Purchases per day of each customer, > 0."""
    observed = max(float(T.sum()), 1.0)
    overall = max(float(x.sum()), 0.5) / observed
    return (x + 0.5) / (T + 0.5 / overall)


def _poisson_quantile(alive: Floats, mean: Floats, q: float) -> Floats:
    """Smallest y with 1 - alive P(N > y) >= q, N ~ Poisson(mean); most customers end at once."""
    found = np.zeros(len(mean))
    rows = np.flatnonzero(alive > 1.0 - q)
    y = 0
    while len(rows):
        rows = rows[alive[rows] * gammainc(y + 1.0, mean[rows]) > 1.0 - q]
        y += 1
        found[rows] = y
    return found
