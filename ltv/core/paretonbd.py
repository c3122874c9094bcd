"""Pareto/NBD: buys at random while alive, may leave at any moment.

Rates of buying vary as Gamma(r, alpha), rates of leaving as Gamma(s, beta), independently:

    L = Gamma(r+x)/Gamma(r) alpha^r beta^s [ (alpha+T)^-(r+x) (beta+T)^-s
        + s * integral over t_x < w < T of (alpha+w)^-(r+x) (beta+w)^-(s+1) dw ].

A customer alive at T has rates ~ Gamma(r+x, alpha+T) and Gamma(s, beta+T), independently; so
everything about the future of a living customer depends on (x, T) only. ``x, t_x, T`` as in
``ltv.core``, each of shape (n,), time in the unit of the fit. Without a finite horizon or a discount
the expected purchases are infinite where s <= 1.

Sources: Schmittlein, Morrison & Colombo (1987), "Counting your customers", Management Science 33;
Fader & Hardie (2005), "A note on deriving the Pareto/NBD model and related expressions"; Fader,
Hardie & Lee (2005), "RFM and CLV", J. Marketing Research 42 (the residual value).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, gammaln

from ltv.core import pareto_future as future
from ltv.core.arrays import Floats, floats, pairs
from ltv.core.dropout import log_left
from ltv.core.fitting import Fit, fit_histories, mean_rate
from ltv.core.lives import Lives
from ltv.core.pareto_likelihood import Histories

__all__ = [
    "Params",
    "ParetoNbd",
    "exceeds",
    "expected_purchases",
    "expected_purchases_new",
    "fit",
    "log_likelihood",
    "log_likelihood_each",
    "p_alive",
    "p_no_purchase",
    "pmf",
    "purchase_quantiles",
    "residual_value",
    "simulate",
]


@dataclass(frozen=True)
class ParetoNbd:
    """Parameters: rates of buying ~ Gamma(r, alpha), of leaving ~ Gamma(s, beta).

    r and s are pure numbers, alpha and beta times in the unit of the data.
    """

    r: float
    alpha: float
    s: float
    beta: float

    times: ClassVar[tuple[str, ...]] = ("alpha", "beta")


Params = ParetoNbd


def fit(
    x: ArrayLike,
    t_x: ArrayLike,
    T: ArrayLike,
    weights: ArrayLike | None = None,
    start: ParetoNbd | None = None,
    ridge: float = 0.0,
    prior: ParetoNbd | None = None,
    settled: float = 0.0,
) -> Fit[ParetoNbd]:
    """Maximum likelihood estimates, see ``fitting.fit_histories``."""
    return fit_histories(Histories.of, rough_parameters, x, t_x, T, weights, start, ridge, prior, settled)


def rough_parameters(x: Floats, T: Floats, weights: Floats) -> ParetoNbd:
    """A start free of units: r and s .6, alpha and beta from the crude rate and the mean time seen."""
    rate, seen = mean_rate(x, T, weights)
    return ParetoNbd(r=0.6, alpha=0.3 / rate, s=0.6, beta=0.5 * seen)


def log_likelihood(
    params: ParetoNbd,
    x: ArrayLike,
    t_x: ArrayLike,
    T: ArrayLike,
    weights: ArrayLike | None = None,
) -> float:
    """Log-likelihood of purchase histories (n,), without the constant x!."""
    (weights,) = floats(1.0 if weights is None else weights)
    return float(np.sum(weights * log_likelihood_each(params, x, t_x, T)))


def log_likelihood_each(params: ParetoNbd, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> Floats:
    """Log-likelihood of each customer, shape (n,)."""
    x, t_x, T = floats(x, t_x, T)
    n = params.r + x
    buying = gammaln(n) - gammaln(params.r) - params.r * np.log1p(T / params.alpha)
    staying = buying - x * np.log(params.alpha + T) - params.s * np.log1p(T / params.beta)
    return staying + np.logaddexp(0.0, log_odds_of_having_left(params, x, t_x, T))


def log_odds_of_having_left(params: ParetoNbd, x: Floats, t_x: Floats, T: Floats) -> Floats:
    """ln P(left) / P(alive) at T, shape (n,); -inf where the last purchase was at T."""
    again = x > 0
    ends, index = np.unique(T[~again], return_inverse=True)
    odds, zero = np.empty(len(x)), np.zeros(len(ends))
    odds[again] = _log_odds(params, x[again], t_x[again], T[again])
    odds[~again] = _log_odds(params, zero, zero, ends)[index]
    return odds


def _log_odds(params: ParetoNbd, x: Floats, t_x: Floats, T: Floats) -> Floats:
    n, A, B, span = params.r + x, params.alpha + t_x, params.beta + t_x, T - t_x
    silence = n * np.log1p(span / A) + params.s * np.log1p(span / B)
    return silence + log_left(n, params.s, A, B, span)


def p_alive(params: ParetoNbd, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> Floats:
    """Probability that each customer is still active at T, shape (n,).

    x is the number of repeat purchase days, t_x the time of the last one and T the length of
    observation, in the unit the model was fitted in.
    """
    x, t_x, T = floats(x, t_x, T)
    return expit(-log_odds_of_having_left(params, x, t_x, T))


def living(params: ParetoNbd, x: Floats, T: Floats) -> future.Living:
    """What is known of customers alive at T, shape (n,)."""
    return future.Living(shape=params.r + x, rate=params.alpha + T, s=params.s, pace=params.beta + T)


def expected_purchases(
    params: ParetoNbd, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, horizon: float
) -> Floats:
    """E[Y]: expected purchase days in (T, T + horizon], shape (n,)."""
    x, t_x, T = floats(x, t_x, T)
    return p_alive(params, x, t_x, T) * future.expected(living(params, x, T), horizon)


def expected_purchases_new(params: ParetoNbd, t: ArrayLike) -> Floats:
    """E[X(t)]: expected repeat purchase days of a new customer up to t, shape of t."""
    (t,) = floats(t)
    return future.expected(living(params, np.zeros_like(t), np.zeros_like(t)), t)


def pmf(params: ParetoNbd, n: ArrayLike, t: ArrayLike) -> Floats:
    """P(X(t) = n): a new customer makes n repeat purchase days up to t, shape (n,)."""
    n, t = floats(n, t)
    return future.pmf(living(params, np.zeros_like(t), np.zeros_like(t)), n, t)


def p_no_purchase(params: ParetoNbd, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, horizon: float) -> Floats:
    """P(Y = 0): no purchase in (T, T + horizon], shape (n,); rises with every silent day."""
    x, t_x, T = floats(x, t_x, T)
    odds = log_odds_of_having_left(params, x, t_x, T)
    distinct = pairs(x, T)
    silent = distinct.spread(future.silent(living(params, distinct.x, distinct.T), horizon))
    return np.minimum(expit(odds) + expit(-odds) * silent, 1.0)  # the two may round to just above


def exceeds(
    params: ParetoNbd, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, horizon: float, y: ArrayLike
) -> Floats:
    """P(Y > y): more than y purchase days in (T, T + horizon], shape (n,); y >= 0, whole numbers."""
    x, t_x, T, y = floats(x, t_x, T, y)
    return p_alive(params, x, t_x, T) * future.exceeds(living(params, x, T), horizon, y)


def purchase_quantiles(
    params: ParetoNbd,
    x: ArrayLike,
    t_x: ArrayLike,
    T: ArrayLike,
    horizon: float,
    levels: Sequence[float],
) -> Floats:
    """Smallest y with P(Y <= y) >= q of the purchase days in (T, T + horizon], (len(levels), n).

    Exact predictive quantiles, one row per level q in (0, 1).
    """
    x, t_x, T = floats(x, t_x, T)
    alive = p_alive(params, x, t_x, T)
    distinct = pairs(x, T)
    known = living(params, distinct.x, distinct.T)
    return future.quantiles(known, horizon, distinct.index, alive, levels)


def residual_value(
    params: ParetoNbd,
    x: ArrayLike,
    t_x: ArrayLike,
    T: ArrayLike,
    delta: float,
    horizon: float = np.inf,
) -> Floats:
    """Expected purchase days in (T, T + horizon], each worth e^(-delta t) after t, shape (n,).

    DERT where the horizon is infinite. ``delta`` >= 0 is per unit of time: ln(1 + annual rate) / 52
    in weeks. Times spend and margin it is the value still to come. Without discount and horizon
    infinite where s <= 1.
    """
    x, t_x, T = floats(x, t_x, T)
    distinct = pairs(x, T)
    alive = future.discounted(living(params, distinct.x, distinct.T), delta, horizon)
    return p_alive(params, x, t_x, T) * distinct.spread(alive)


def simulate(params: ParetoNbd, rng: np.random.Generator, T: ArrayLike, horizon: float) -> Lives:
    """Customers of the model observed for T (n,), in continuous time, and their next ``horizon``.

    The same state of the generator gives the same customers.
    """
    (T,) = floats(T)
    rate = rng.gamma(params.r, 1.0 / params.alpha, len(T))
    leaves = np.maximum(rng.gamma(params.s, 1.0 / params.beta, len(T)), np.finfo(float).tiny)
    lifetime = rng.exponential(size=len(T)) / leaves
    x = rng.poisson(rate * np.minimum(lifetime, T)).astype(np.float64)
    # purchase times are uniform: the last of x is a beta-distributed share of the time alive
    t_x = np.minimum(lifetime, T) * rng.beta(np.maximum(x, 1.0), 1.0)
    later = np.clip(lifetime - T, 0.0, horizon)
    return Lives(
        x=x,
        t_x=np.where(x > 0, t_x, 0.0),
        T=T,
        alive=lifetime > T,
        purchases=rng.poisson(rate * later).astype(np.float64),
    )
