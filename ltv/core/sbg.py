"""sBG, the shifted beta-geometric: how long subscribers stay whose leaving is seen.

At each renewal date a subscriber leaves with a chance theta of his own, which never changes; theta
varies between subscribers as Beta(alpha, beta). So the retention of a cohort rises with its tenure,
although nobody becomes more loyal: those who leave easily are gone. One retention rate for all
tenures undervalues those who have stayed.

Time is counted in renewal dates, one per period of the contract. ``tenure`` is the number of them a
subscriber has met: met with a yes, all of them, if still there; all but the last, if ``churned``.
Published tables number the period a subscriber is in, which is tenure + 1.

Limits: theta does not change with time, price or season; and a date at which many leave (the end of
a trial) is no part of the model. Set it beside ``survival.kaplan_meier``.

Sources: Fader & Hardie (2007), "How to project customer retention", J. Interactive Marketing 21(1)
76-90; Fader & Hardie (2010), "Customer-base valuation in a contractual setting", Marketing Science
29(1) 85-93.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln

from ltv.core.annuity import annuity
from ltv.core.arrays import Floats, floats
from ltv.core.fitting import Fit, nothing_to_fit, objections, standard_errors
from ltv.core.newton import Evaluation, Ridge, maximise

# periods; a longer tenure was counted in another unit
LONGEST = 100_000
# where Stirling's series for the logarithm of the gamma function is exact
LARGE = 50.0


@dataclass(frozen=True)
class Sbg:
    """Parameters, pure numbers: chances to leave at a renewal ~ Beta(alpha, beta)."""

    alpha: float
    beta: float


@dataclass(frozen=True)
class Renewals:
    """What happened at each renewal date k = 1, 2, ...: all a likelihood needs, shape (k,) each.

    ``at_risk`` met the date, ``left`` of them did not renew.
    """

    at_risk: Floats
    left: Floats

    @classmethod
    def of(cls, tenure: Floats, churned: Floats, weights: Floats) -> Renewals:
        dates = tenure.astype(np.int64)
        ended = np.bincount(dates, weights).astype(np.float64)
        left = np.bincount(dates, weights * churned).astype(np.float64)
        return cls(at_risk=np.cumsum(ended[::-1])[::-1][1:], left=left[1:])

    def evaluate(self, parameters: Floats) -> Evaluation:
        """Value, gradient (2,) and Hessian (2, 2) with respect to (alpha, beta)."""
        alpha, beta = parameters
        stays = beta + np.arange(len(self.left))
        met = alpha + stays
        stayed, gone = self.at_risk - self.left, self.left.sum()
        value = self.left @ np.log(alpha / met) + stayed @ np.log1p(-alpha / met)
        both = self.at_risk @ (1.0 / met)
        gradient = np.array([gone / alpha - both, stayed @ (1.0 / stays) - both])
        hessian = np.full((2, 2), self.at_risk @ met**-2.0)
        hessian[0, 0] -= gone / alpha**2
        hessian[1, 1] -= stayed @ stays**-2.0
        return float(value), gradient, hessian


def from_survivors(survivors: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """``tenure, churned, weights`` of a cohort counted after each renewal date.

    ``survivors`` (k + 1,): subscribers at the start, after the first renewal date, after the
    second, ... Those of the last count are still there.

    Raises:
        ValueError: the counts rise, are negative, or there are none.
    """
    (counts,) = floats(survivors)
    if not (len(counts) and counts[-1] >= 0 and np.all(np.diff(counts) <= 0)):
        raise ValueError("Survivors of a cohort can only become fewer, down to nobody.")
    dates = np.arange(1.0, len(counts))
    tenure = np.append(dates, len(dates))
    return tenure, np.append(np.ones(len(dates)), 0.0), np.append(-np.diff(counts), counts[-1])


def possible(tenure: Floats, churned: Floats) -> NDArray[np.bool_]:
    """Rows a subscription can have, shape (n,): whole tenures, at least 1 where churned."""
    with np.errstate(invalid="ignore"):
        whole = (tenure >= 0) & (tenure <= LONGEST) & (tenure == np.floor(tenure))
        return whole & ((churned == 0) | ((churned == 1) & (tenure > 0)))


def fit(
    tenure: ArrayLike,
    churned: ArrayLike,
    weights: ArrayLike | None = None,
    start: Sbg | None = None,
    ridge: float = 0.0,
    prior: Sbg | None = None,
) -> Fit[Sbg]:
    """Maximum likelihood estimates from subscriptions, each argument of shape (n,).

    churned is True where the subscriber left at renewal date ``tenure``, False where he was still
    there after it (right-censored). weights are counts of equal subscriptions. ``start``, ``ridge``
    and ``prior`` as in the transaction models. ``repeaters`` of the answer renewed at least once.

    Never raises on odd data and never answers NaN: impossible rows are counted in ``rejected`` and
    ``flags`` name what is wrong with the rest; ``nobody_left`` and ``one_renewal_date`` say that no
    two parameters can be told from such data.
    """
    tenure, churned, weights = floats(tenure, churned, 1.0 if weights is None else weights)
    keep = possible(tenure, churned) & (weights > 0)
    rejected = int(keep.size - np.count_nonzero(keep))
    tenure, churned, weights = (array[keep] for array in (tenure, churned, weights))
    if not np.any(tenure > 0):
        return nothing_to_fit(prior or Sbg(1.0, 1.0), "nothing_observed", rejected)
    data = Renewals.of(tenure, churned, weights)
    rough = _rough(data)
    optimum = maximise(
        data.evaluate, start=_array(start or rough), ridge=Ridge(ridge, np.log(_array(prior or rough)))
    )
    params = Sbg(*(float(value) for value in optimum.parameters))
    flags = objections(optimum, {"alpha": params.alpha, "beta": params.beta})
    return Fit(
        params=params,
        log_likelihood=data.evaluate(_array(params))[0],
        standard_errors=standard_errors(optimum),
        converged=optimum.converged,
        iterations=optimum.iterations,
        flags=(*_shortcomings(data, rejected, len(tenure)), *flags),
        customers=round(float(weights.sum())),
        repeaters=round(float(weights[tenure - churned > 0].sum())),
        rejected=rejected,
    )


def _array(params: Sbg) -> Floats:
    return np.array([params.alpha, params.beta])


def _rough(data: Renewals) -> Sbg:
    """alpha 1, and the retention of all dates together."""
    gone = max(float(data.left.sum()), 0.5)
    stayed = max(float(data.at_risk.sum()) - gone, 0.5)
    return Sbg(alpha=1.0, beta=stayed / gone)


def _shortcomings(data: Renewals, rejected: int, used: int) -> tuple[str, ...]:
    flags = {
        "impossible_rows": rejected > 0.01 * (rejected + used),
        "nobody_left": not data.left.any(),
        "one_renewal_date": len(data.left) == 1,
    }
    return tuple(name for name, applies in flags.items() if applies)


def log_likelihood(
    params: Sbg, tenure: ArrayLike, churned: ArrayLike, weights: ArrayLike | None = None
) -> float:
    """Log-likelihood of subscriptions (n,), see ``fit``; rows that cannot be are left out."""
    tenure, churned, weights = floats(tenure, churned, 1.0 if weights is None else weights)
    keep = possible(tenure, churned)
    data = Renewals.of(tenure[keep], churned[keep], weights[keep])
    return data.evaluate(_array(params))[0]


def survival(params: Sbg, t: ArrayLike, tenure: ArrayLike = 0.0) -> Floats:
    """S(t): chance to renew t more times, shape (n,), for those who have renewed ``tenure`` times.

    B(alpha, beta + tenure + t) / B(alpha, beta + tenure). Relative error below 1e-9 for beta up to
    a million.

    Raises:
        ValueError: t or tenure is negative or no whole number.
    """
    t, tenure = _whole(t, tenure)
    stays = params.beta + tenure
    return np.exp(_log_rising(stays, params.alpha) - _log_rising(stays + t, params.alpha))


def retention(params: Sbg, t: ArrayLike) -> Floats:
    """r_t: share of those who met renewal date t = 1, 2, ... that renewed, shape (n,); rises with t.

    Raises:
        ValueError: t is below 1 or no whole number.
    """
    stays = params.beta + _dates(t) - 1.0
    return stays / (params.alpha + stays)


def pmf(params: Sbg, t: ArrayLike) -> Floats:
    """P(T = t): chance that a new subscriber leaves at renewal date t = 1, 2, ..., shape (n,).

    Raises:
        ValueError: t is below 1 or no whole number.
    """
    t = _dates(t)
    return survival(params, t - 1.0) * params.alpha / (params.alpha + params.beta + t - 1.0)


def _whole(*arrays: ArrayLike) -> tuple[Floats, ...]:
    made = floats(*arrays)
    if not all(np.all((array >= 0) & (array == np.floor(array)) & np.isfinite(array)) for array in made):
        raise ValueError("Renewal dates are counted in whole numbers of 0 or more.")
    return made


def _dates(t: ArrayLike) -> Floats:
    (t,) = _whole(t)
    if np.any(t < 1):
        raise ValueError("The first renewal date is number 1.")
    return t


def _log_rising(z: Floats, alpha: float) -> Floats:
    """ln Gamma(z + alpha) / Gamma(z), without the cancellation of two large logarithms."""
    far = np.maximum(z, LARGE)
    series = (
        alpha * np.log(far) + (far + alpha - 0.5) * np.log1p(alpha / far) - alpha
        + _correction(far + alpha) - _correction(far)
    )  # fmt: skip
    return np.where(z < LARGE, gammaln(z + alpha) - gammaln(z), series)


def _correction(z: Floats) -> Floats:
    """What Stirling's formula for ln Gamma(z) leaves out."""
    square = z**-2.0
    return (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square / 1680))) / z


def discounted_lifetime(params: Sbg, d: float) -> float:
    """DEL: expected periods a new subscriber pays for, discounted, the first one included.

    d is the discount rate per period (.1 is 10 %), payments are made at the start of a period;
    times the margin of a period it is the value of a subscriber about to be won. Infinite for d = 0
    and alpha <= 1. Equals 2F1(1, beta; alpha + beta; 1/(1+d)), with a relative error below 1e-10.

    Raises:
        ValueError: d is negative.
    """
    return float(annuity(params.alpha, np.array([params.beta]), d, np.inf)[0])


def residual_value(params: Sbg, tenure: ArrayLike, d: float, horizon: float = np.inf) -> Floats:
    """Expected renewals of living subscribers, each discounted, shape (n,); DERL by default.

    ``tenure`` (n,) renewals have been made and the next is due now, at no discount; ``d`` is the
    discount rate per period and ``horizon`` the number of renewal dates that count. Times the
    margin of a period it is money. Infinite for d = 0 without a horizon where alpha <= 1. DERL is
    (beta+n-1)/(alpha+beta+n-1) 2F1(1, beta+n; alpha+beta+n; 1/(1+d)), n = tenure + 1; relative
    error below 1e-10.

    Raises:
        ValueError: d is negative, or tenure or the horizon negative or no whole number.
    """
    (tenure,) = _whole(tenure)
    if horizon != np.inf:
        _whole(horizon)
    known, index = np.unique(tenure, return_inverse=True)
    stays = params.beta + known
    due = stays / (params.alpha + stays) * annuity(params.alpha, stays + 1.0, d, horizon)
    return due[index.reshape(-1)]


def expected_renewals(params: Sbg, tenure: ArrayLike, horizon: float) -> Floats:
    """Expected renewals at the next ``horizon`` dates, shape (n,), of living subscribers.

    Raises:
        ValueError: tenure or the horizon is negative or no whole number.
    """
    return residual_value(params, tenure, 0.0, horizon)


def renewal_quantiles(params: Sbg, tenure: ArrayLike, horizon: float, levels: ArrayLike) -> Floats:
    """Predictive quantiles of the renewals at the next ``horizon`` dates, shape (levels, n).

    For living subscribers who have renewed ``tenure`` (n,) times: the smallest y with
    P(renewals <= y) >= level. Quantiles of what will happen, not of its expectation.

    Raises:
        ValueError: tenure or the horizon is negative or no whole number, or a level not in (0, 1).
    """
    (tenure,), (levels,) = _whole(tenure), floats(levels)
    _whole(horizon)
    if not np.all((levels > 0) & (levels < 1)):
        raise ValueError("Levels of quantiles lie between 0 and 1.")
    known, index = np.unique(tenure, return_inverse=True)
    above = (1.0 - levels[:, None]) * (1.0 + 1e-12)  # equality holds up to rounding
    low, high = np.zeros((len(levels), len(known))), np.full((len(levels), len(known)), horizon)
    while np.any(open_ := low < high):
        middle = np.floor((low + high) / 2)
        more = survival(params, middle + 1.0, known[None, :]) > above
        low, high = np.where(open_ & more, middle + 1.0, low), np.where(open_ & ~more, middle, high)
    return low[:, index.reshape(-1)]


@dataclass(frozen=True)
class Subscribers:
    """What was seen (tenure, churned) and what is true (renewals still to come): shape (n,) each."""

    tenure: Floats
    churned: NDArray[np.bool_]
    renewals: Floats


def simulate(params: Sbg, rng: np.random.Generator, T: ArrayLike, horizon: int) -> Subscribers:
    """Subscribers who have had ``T`` (n,) renewal dates to meet, and their next ``horizon`` dates.

    The same generator state gives the same subscribers.
    """
    (T,) = _whole(T)
    theta = np.clip(rng.beta(params.alpha, params.beta, len(T)), 1e-15, 1.0)
    leaves = rng.geometric(theta).astype(np.float64)
    churned = leaves <= T
    return Subscribers(
        tenure=np.minimum(leaves, T),
        churned=churned,
        renewals=np.where(churned, 0.0, np.minimum(leaves - 1.0 - T, horizon)),
    )
