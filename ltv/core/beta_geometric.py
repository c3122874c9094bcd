"""What BG/NBD and MBG/NBD share: a Poisson buyer who leaves with probability p after a purchase.

Purchase rates vary as Gamma(r, alpha), p as Beta(a, b). The two models differ in one number: the
chances to leave that lie before the first repeat purchase, 0 in BG/NBD and 1 in MBG/NBD. With
``k = x + chances`` chances survived,

    L = G [ (alpha+T)^-(r+x) + (k>0) a/(b+k-1) (alpha+t_x)^-(r+x) ],
    G = Gamma(r+x)/Gamma(r) alpha^r B(a, b+k)/B(a, b).

A customer alive at T has rate ~ Gamma(r+x, alpha+T) and p ~ Beta(a, b+k), independently; so
everything about the future of a living customer depends on (x, T) only, see ``future``.

Same-day orders are one purchase: x counts purchase days. Time is in the unit the caller chose.

Sources: Fader, Hardie & Lee (2005), "Counting your customers the easy way", Marketing Science 24;
Batislam, Denizel & Filiztekin (2007), Int. J. Research in Marketing 24 (the modified model).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from functools import partial
from typing import ClassVar, TypeVar

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaln, expit, gammaln

from ltv.core import future, likelihood
from ltv.core.arrays import Floats, floats, pairs
from ltv.core.fitting import Fit, fit_histories, mean_rate
from ltv.core.lives import Lives


@dataclass(frozen=True)
class BetaGeometric:
    """Parameters of a model: rates ~ Gamma(r, alpha), leaving ~ Beta(a, b); alpha is a time."""

    r: float
    alpha: float
    a: float
    b: float

    times: ClassVar[tuple[str, ...]] = ("alpha",)
    # chances to leave that lie before the first repeat purchase
    chances: ClassVar[int] = 0


Model = TypeVar("Model", bound=BetaGeometric)


def fit_model(
    kind: type[Model],
    x: ArrayLike,
    t_x: ArrayLike,
    T: ArrayLike,
    weights: ArrayLike | None = None,
    start: Model | None = None,
    ridge: float = 0.0,
    prior: Model | None = None,
    settled: float = 0.0,
) -> Fit[Model]:
    """Maximum likelihood estimates of one of the two models, see ``fitting.fit_histories``."""
    return fit_histories(
        partial(likelihood.Histories.of, chances=kind.chances),
        partial(rough_parameters, kind),
        *(x, t_x, T, weights, start, ridge, prior, settled),
    )


def rough_parameters(kind: type[Model], x: Floats, T: Floats, weights: Floats) -> Model:
    """A start free of units: r .5, a .8, b 2.5, alpha from the crude rate of purchase."""
    rate, _ = mean_rate(x, T, weights)
    return kind(r=0.5, alpha=0.5 / (2.0 * rate), a=0.8, b=2.5)


def log_likelihood(
    params: BetaGeometric,
    x: ArrayLike,
    t_x: ArrayLike,
    T: ArrayLike,
    weights: ArrayLike | None = None,
) -> float:
    """Log-likelihood of purchase histories (n,), without the constant x!."""
    x, t_x, T, weights = floats(x, t_x, T, 1.0 if weights is None else weights)
    data = likelihood.Histories.of(x, t_x, T, weights, params.chances)
    return data.value(np.array(astuple(params)))


def log_likelihood_each(params: BetaGeometric, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> Floats:
    """Log-likelihood of each customer, shape (n,)."""
    x, t_x, T = floats(x, t_x, T)
    r, alpha, a, b = astuple(params)
    k = x + params.chances
    shape = gammaln(r + x) - gammaln(r) + betaln(a, b + k) - betaln(a, b)
    staying = shape + r * np.log(alpha) - (r + x) * np.log(alpha + T)
    return staying + np.logaddexp(0.0, log_odds_of_having_left(params, x, t_x, T))


def log_odds_of_having_left(params: BetaGeometric, x: Floats, t_x: Floats, T: Floats) -> Floats:
    """ln P(left) / P(alive) at T, shape (n,); -inf where no chance to leave has passed."""
    r, alpha, a, b = astuple(params)
    k = x + params.chances
    silence = (r + x) * np.log1p((T - t_x) / (alpha + t_x))
    chance = np.log(a) - np.log(np.where(k > 0, b + k - 1, 1.0))
    return np.where(k > 0, chance + silence, -np.inf)


def p_alive(params: BetaGeometric, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> Floats:
    """Probability that each customer is still active at T, shape (n,).

    x is the number of repeat purchase days, t_x the time of the last one and T the length of
    observation, in the unit the model was fitted in. Under BG/NBD exactly 1 where x == 0: that
    model lets nobody leave before a first repeat purchase. As a churn score use MBG/NBD or
    ``p_no_purchase``.

    Source: Fader, Hardie & Lee (2008), "Computing P(alive) using the BG/NBD model".
    """
    x, t_x, T = floats(x, t_x, T)
    return expit(-log_odds_of_having_left(params, x, t_x, T))


def expected_purchases(
    params: BetaGeometric, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, horizon: float
) -> Floats:
    """E[Y]: expected purchase days in (T, T + horizon], shape (n,).

    Without a finite horizon the expectation is infinite when a <= 1. Relative error below 1e-8.
    """
    x, t_x, T = floats(x, t_x, T)
    distinct = pairs(x, T)
    alive = future.expected(living(params, distinct.x, distinct.T), horizon)
    return p_alive(params, x, t_x, T) * distinct.spread(alive)


def living(params: BetaGeometric, x: Floats, T: Floats) -> future.Living:
    """What is known of customers alive at T, shape (n,)."""
    return future.Living(
        shape=params.r + x,
        rate=params.alpha + T,
        a=params.a,
        b=params.b + x + params.chances,
    )


def newcomer(params: BetaGeometric) -> future.Living:
    """What is known of a customer right after the first purchase, if not gone with it."""
    return living(params, np.zeros(1), np.zeros(1))


def expected_purchases_new(params: BetaGeometric, t: ArrayLike) -> Floats:
    """E[X(t)]: expected repeat purchase days of a new customer up to t, shape of t."""
    (t,) = floats(t)
    return _stays_at_first(params) * future.expected(newcomer(params), t)


def pmf(params: BetaGeometric, n: ArrayLike, t: ArrayLike) -> Floats:
    """P(X(t) = n): a new customer makes n repeat purchase days up to t, shape (n,)."""
    n, t = floats(n, t)
    stays = _stays_at_first(params)
    return stays * future.pmf(newcomer(params), n, t) + (1.0 - stays) * (n == 0)


def _stays_at_first(params: BetaGeometric) -> float:
    return params.b / (params.a + params.b) if params.chances else 1.0


def p_no_purchase(
    params: BetaGeometric, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, horizon: float
) -> Floats:
    """P(Y = 0): no purchase in (T, T + horizon], shape (n,); rises with every silent day.

    The churn risk to show: it also orders customers with x == 0, whom BG/NBD calls alive.
    """
    x, t_x, T = floats(x, t_x, T)
    odds = log_odds_of_having_left(params, x, t_x, T)
    silent = expit(odds) + expit(-odds) * future.silent(living(params, x, T), horizon)
    return np.minimum(silent, 1.0)  # the two may round to just above


def exceeds(
    params: BetaGeometric, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, horizon: float, y: ArrayLike
) -> Floats:
    """P(Y > y): more than y purchase days in (T, T + horizon], shape (n,); y >= 0, whole numbers."""
    x, t_x, T, y = floats(x, t_x, T, y)
    return p_alive(params, x, t_x, T) * future.exceeds(living(params, x, T), horizon, y)


def purchase_quantiles(
    params: BetaGeometric,
    x: ArrayLike,
    t_x: ArrayLike,
    T: ArrayLike,
    horizon: float,
    levels: Sequence[float],
) -> Floats:
    """Smallest y with P(Y <= y) >= q of the purchase days in (T, T + horizon], (len(levels), n).

    Exact predictive quantiles, one row per level q in (0, 1): quantiles of what will happen, not
    of its expectation. Levels .1 and .9 enclose at least 80 %: whole numbers cannot be cut exactly.
    """
    x, t_x, T = floats(x, t_x, T)
    alive = p_alive(params, x, t_x, T)
    distinct = pairs(x, T)
    known = living(params, distinct.x, distinct.T)
    return future.quantiles(known, horizon, distinct.index, alive, levels)


def residual_value(
    params: BetaGeometric,
    x: ArrayLike,
    t_x: ArrayLike,
    T: ArrayLike,
    delta: float,
    horizon: float = np.inf,
) -> Floats:
    """Expected purchase days in (T, T + horizon], each worth e^(-delta t) after t, shape (n,).

    ``delta`` >= 0 is per unit of time: ln(1 + annual rate) / 365 in days. Times spend and margin it
    is the value still to come. Without discount and horizon infinite where a <= 1.
    """
    x, t_x, T = floats(x, t_x, T)
    distinct = pairs(x, T)
    alive = future.discounted(living(params, distinct.x, distinct.T), delta, horizon)
    return p_alive(params, x, t_x, T) * distinct.spread(alive)


def simulate(params: BetaGeometric, rng: np.random.Generator, T: ArrayLike, horizon: float) -> Lives:
    """Customers of the model observed for T (n,), in continuous time, and their next ``horizon``.

    The same state of the generator gives the same customers.
    """
    (T,) = floats(T)
    n = len(T)
    rate = rng.gamma(params.r, 1.0 / params.alpha, n)
    leaves = np.clip(rng.beta(params.a, params.b, n), 1e-12, 1.0)
    # the repeat purchase after which the customer leaves; 0 is the first purchase of all
    last = rng.geometric(leaves).astype(np.float64) - params.chances
    wished = rng.poisson(rate * T).astype(np.float64)
    x = np.minimum(wished, last)
    # purchase times are uniform: the x-th of `wished` is a beta-distributed share of T
    share = rng.beta(np.maximum(x, 1.0), wished - x + 1.0)
    more = np.minimum(rng.poisson(rate * horizon), last - wished)
    alive = wished < last
    return Lives(
        x=x,
        t_x=np.where(x > 0, share * T, 0.0),
        T=T,
        alive=alive,
        purchases=np.where(alive, more, 0.0),
    )


def next_purchase_wait(params: BetaGeometric, x: ArrayLike, T: ArrayLike, q: float = 0.5) -> Floats:
    """Time from T in which a living customer buys again with probability q, shape (n,).

    A living customer always buys once more (one leaves only after a purchase), so this is a
    quantile of a proper waiting time: P(wait > t) = ((alpha+T)/(alpha+T+t))^(r+x). With the
    default q the median. For customers who may have left read it beside ``p_alive``.
    """
    x, T = floats(x, T)
    return (params.alpha + T) * np.expm1(-np.log1p(-q) / (params.r + x))
