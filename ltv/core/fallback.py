"""Which parameters the night uses when the fit is not to be trusted, and why.

The ladder: the fit of today; the last good parameters; a fit held by a prior; a plain heuristic.

The prior of the third rung is what public shops are like, put at the shop's own level of buying:
CDNOW, 2,357 customers (Fader, Hardie & Lee 2005; MBG/NBD and Pareto/NBD of the same data), and for
r the geometric mean of CDNOW's .243 and the .83 of UCI "Online Retail" (4,339 customers, fitted by
lifetimes), which shows no measurable leaving and so says nothing of a and b. Only pure numbers are
borrowed: times are scaled so that the prior expects as many purchases as the shop has seen, amounts
so that it expects the shop's mean. From 30 customers on this beats plain rates by far.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields, replace
from typing import Any, Generic

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaincc, pdtrik

from ltv.core import clv, gamma_gamma, models
from ltv.core.arrays import Floats, dot, floats, usable
from ltv.core.bgnbd import BgNbd
from ltv.core.fitting import Fit, Params
from ltv.core.formula import DAYS_PER_MONTH
from ltv.core.gamma_gamma import GammaGamma, shrunken_spend
from ltv.core.mbgnbd import MbgNbd
from ltv.core.models import Model
from ltv.core.paretonbd import ParetoNbd

MIN_CUSTOMERS = 200
MIN_REPEATERS = 50
# below this not even the prior helps
MIN_POOLED_CUSTOMERS = 10
MAX_DRIFT = 3.0
NIGHTLY_RIDGE = 0.05
# Yesterday's parameters stay while no others are likelier by more than this much log-likelihood. Chance alone makes the best
# ones likelier than the true ones by half a unit for each parameter; all figures would move with every such step.
SETTLED = 0.05
POOLED_RIDGE = 0.5
POOLED_RIDGES = (POOLED_RIDGE, 10 * POOLED_RIDGE, 100 * POOLED_RIDGE)

OWN, LAST, POOLED, FORMULA = "own", "last", "pooled", "formula"

# what public shops are like, in units of alpha; see above
PUBLIC: dict[type, Any] = {
    BgNbd: BgNbd(r=0.45, alpha=1.0, a=0.793, b=2.426),
    MbgNbd: MbgNbd(r=0.525, alpha=1.0, a=0.891, b=1.614),
    ParetoNbd: ParetoNbd(r=0.553, alpha=1.0, s=0.606, beta=1.103),
}
# Fader & Hardie (2013), CDNOW: p 6.25, q 3.74
PUBLIC_SPENDING = GammaGamma(p=6.25, q=3.74, gamma=1.0)
# of the search for the level of buying, in steps of a factor e from the mean time observed
LEVELS, HALVINGS = 20.0, 40


@dataclass(frozen=True)
class Choice(Generic[Params]):
    """The step taken, its parameters (None for ``formula``) and why no earlier step was taken.

    ``covariance`` is that of the fit taken, see ``Fit``; empty for yesterday's parameters.
    """

    step: str
    params: Params | None
    reasons: tuple[str, ...]
    covariance: tuple[tuple[float, ...], ...] = ()


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
) -> Choice[Params]:
    """Take the first step of the ladder that holds.

    ``last`` are the parameters in use yesterday, where the ascent to ``own`` began: a new optimum that
    is worse than they are on today's data is no optimum. A parameter more than a factor 3 from
    yesterday's is refused too; a person should look.
    """
    reasons = objections(own, last)
    if own is not None and not reasons:
        return Choice(OWN, own.params, (), own.covariance)
    if last is not None:
        return Choice(LAST, last, reasons)
    reasons = (*reasons, "no earlier parameters")
    against = _against_pooled(pooled)
    if pooled is not None and not against:
        return Choice(POOLED, pooled.params, reasons, pooled.covariance)
    return Choice(FORMULA, None, tuple(dict.fromkeys((*reasons, *against))))


def objections(own: Fit[Params] | None, last: Params | None) -> tuple[str, ...]:
    """Why an own fit is not taken; empty when it is."""
    if own is None:
        return ("no own fit",)
    reasons = [*enough_data(own.customers, own.repeaters), *own.flags]
    if not own.converged and "not_converged" not in own.flags:
        reasons.append("not_converged")
    if last is not None and own.log_likelihood < own.at_start - _slack(own.at_start):
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


def climb(
    model: Model[Params], x: ArrayLike, t_x: ArrayLike, T: ArrayLike, last: Params | None = None
) -> Choice[Params]:
    """The whole ladder for a transaction model on histories (n,); each fit is made only if needed."""
    x, t_x, T = floats(x, t_x, T)
    own = model.fit(x, t_x, T, start=last, ridge=NIGHTLY_RIDGE, settled=SETTLED)
    choice = choose(own, last, None)
    if choice.step != FORMULA:
        return choice
    return choose(own, last, pooled_fit(x, t_x, T, model))


def pooled_fit(
    x: ArrayLike, t_x: ArrayLike, T: ArrayLike, model: Model[Any] = models.MODELS["bgnbd"]
) -> Fit[Any]:
    """A fit for a small or odd shop: its own data, held near what public shops are.

    With ridge .5 (a standard deviation of a factor 4 for each parameter), and ten and a hundred
    times as firmly where the data still run off to a bound.
    """
    prior = public_prior(model, x, t_x, T)
    for ridge in POOLED_RIDGES:
        found = model.fit(x, t_x, T, ridge=ridge, prior=prior)
        if found.ok or not found.repeaters:
            break
    return found


def public_prior(model: Model[Any], x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> Any:
    """What public shops are like, with times such that it expects the purchases seen, at least half a one."""
    x, t_x, T = floats(x, t_x, T)
    keep = usable(x, t_x, T) & (T > 0)
    base = PUBLIC[model.Params]  # type: ignore[index]
    if not keep.any():
        return base
    times, counts = np.unique(T[keep], return_counts=True)
    wanted = max(float(x[keep].sum()), 0.5)

    def at(level: float) -> Any:
        unit = float(np.mean(T[keep]) * np.exp(level))
        return replace(base, **{name: getattr(base, name) * unit for name in base.times})

    low, high = -LEVELS, LEVELS
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        expected = dot(counts.astype(np.float64), model.expected_purchases_new(at(middle), times))
        low, high = (middle, high) if expected > wanted else (low, middle)
    return at(high)


def pooled_spend(x: ArrayLike, m: ArrayLike) -> Fit[GammaGamma]:
    """Gamma-gamma for a small shop: its own amounts, held near what public shops are (ridge .5)."""
    x, m = floats(x, m)
    known = gamma_gamma.spenders(x, m)
    typical = float(m[known].mean()) if known.any() else 1.0
    prior = replace(PUBLIC_SPENDING, gamma=typical / PUBLIC_SPENDING.mean)
    return gamma_gamma.fit(x, m, ridge=POOLED_RIDGE, prior=prior)


def climb_spending(x: ArrayLike, m: ArrayLike, last: GammaGamma | None = None) -> Choice[GammaGamma]:
    """The whole ladder for the model of spending; at ``formula`` spend is the shrunken own mean."""
    x, m = floats(x, m)
    own = gamma_gamma.fit(x, m, start=last, ridge=NIGHTLY_RIDGE, settled=SETTLED)
    choice = choose(own, last, None)
    if choice.step != FORMULA:
        return choice
    return choose(own, last, pooled_spend(x, m))


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
    """Predictions without a model, to be labelled as such; arguments as ``clv.predict``, see ``Heuristic``."""
    return Heuristic.of(x, t_x, T, m).predictions(horizon, churn_horizon, margin_rate, annual_discount)


@dataclass(frozen=True)
class Heuristic:
    """What is said of customers (n,) without a model, with the questions of ``clv.Forecast``.

    Own rate of purchase, drawn towards the shop's as if half a purchase at that rate had been
    seen. A customer counts as active until silent for twice the usual gap 1/rate, then ever less
    (after four gaps, half). Counts are Poisson while active; spend is the shrunken own mean; the
    discount is that of the middle of the horizon.
    """

    rate: Floats
    p_alive: Floats
    spend: Floats
    sound: NDArray[np.bool_]

    @classmethod
    def of(cls, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, m: ArrayLike) -> Heuristic:
        """Of histories x, t_x, T (days) and m (money), (n,)."""
        x, t_x, T, m = floats(x, t_x, T, m)
        sound = usable(x, t_x, T)
        x, t_x, T = (np.where(sound, array, 0.0) for array in (x, t_x, T))
        rate = _rates(x, T)
        alive = 2.0 / np.maximum(2.0, rate * (T - t_x))
        return cls(rate, alive, shrunken_spend(x, m), sound)

    def within(self, horizon: float) -> clv.Horizon:
        """Purchases and revenue within ``horizon`` days, with 80 % intervals."""
        purchases = self.p_alive * self.rate * horizon
        low, high = (_poisson_quantile(self.p_alive, self.rate * horizon, q) for q in (0.1, 0.9))
        columns = (purchases, low, high, *(count * self.spend for count in (purchases, low, high)))
        return clv.Horizon(*(np.where(self.sound, column, 0.0) for column in columns))

    def p_no_purchase(self, horizon: float) -> Floats:
        """P(no purchase within ``horizon`` days)."""
        return np.where(self.sound, 1.0 + self.p_alive * np.expm1(-self.rate * horizon), 0.0)

    def revenue(self, horizon: float, annual_discount: float) -> Floats:
        """Revenue within ``horizon`` days, discounted to today."""
        discount = (1.0 + annual_discount) ** (-horizon / 2 / clv.DAYS_PER_YEAR)
        return np.where(self.sound, self.p_alive * self.rate * horizon * self.spend * discount, 0.0)

    def wait(self, share: float) -> Floats:
        """Days in which this share of customers like each one have bought again."""
        return np.where(self.sound, -np.log1p(-share) / self.rate, 0.0)

    def predictions(
        self, horizon: float, churn_horizon: float, margin_rate: ArrayLike, annual_discount: float
    ) -> clv.Predictions:
        """Everything at one horizon; arguments as ``clv.predict``."""
        return clv.gather(self, self.within(horizon), horizon, churn_horizon, margin_rate, annual_discount)


def _rates(x: Floats, T: Floats) -> Floats:
    """Purchases per day of each customer, > 0; the shop's counts a month at least of everybody."""
    observed = max(float(np.maximum(T, DAYS_PER_MONTH).sum()), 1.0)
    overall = max(float(x.sum()), 0.5) / observed
    return (x + 0.5) / (T + 0.5 / overall)


def _poisson_quantile(alive: Floats, mean: Floats, q: float) -> Floats:
    """Smallest y with 1 - alive P(N > y) >= q, N ~ Poisson(mean)."""
    found = np.zeros(len(mean))
    rows = np.flatnonzero(alive * -np.expm1(-mean) > 1.0 - q)
    level = 1.0 - (1.0 - q) / alive[rows]
    y = np.ceil(pdtrik(level, mean[rows]))
    # the inverse may round to either side of a whole number
    y = np.where((y > 0) & (gammaincc(y, mean[rows]) >= level), y - 1.0, y)
    found[rows] = np.maximum(y, 0.0)
    return found
