"""Gamma-gamma: what a customer spends per purchase, learnt from few purchases.

Each purchase ~ Gamma(p, nu), nu varies between customers as Gamma(q, gamma); spending does not
depend on how often one buys (look at ``frequency_correlation``). x repeat purchase days with mean
amount m, as in ``ltv.core``; m in any one currency.

Source: Fader & Hardie (2013), "The gamma-gamma model of monetary value", note 025.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import digamma, gammaln, polygamma, xlogy

from ltv.core.arrays import BLOCK, Floats, dot, floats, histogram
from ltv.core.fitting import Fit, covariance, nothing_to_fit, objections, standard_errors, stayed, warm
from ltv.core.newton import Evaluation, Optimum, Ridge, maximise

# of q' over 2, below which the variance of the amounts is as good as infinite
LEAST_EXCESS = 0.25
# of x and m, above which spending is said to vary with frequency; CDNOW has .11
CORRELATED = 0.3


@dataclass(frozen=True)
class GammaGamma:
    """Parameters: p and q are pure numbers, gamma is an amount of money."""

    p: float
    q: float
    gamma: float

    @property
    def has_mean(self) -> bool:
        """Whether the average spend of the population exists (q > 1)."""
        return self.q > 1.0

    @property
    def mean(self) -> float:
        """Average spend per purchase of a customer not seen to spend yet."""
        return self.p * self.gamma / (self.q - 1.0)


@dataclass(frozen=True)
class Spending:
    """Spending histories arranged for repeated evaluation.

    ``levels`` are the distinct x with their ``counts``, ``log_m`` the sums of w ln m and w x ln m;
    ``x``, ``spent`` = x m and ``weights`` are the rows.
    """

    levels: Floats
    counts: Floats
    log_m: Floats
    x: Floats
    spent: Floats
    weights: Floats

    @classmethod
    def of(cls, x: Floats, m: Floats, weights: Floats) -> Spending:
        with np.errstate(all="ignore"):
            log_m = weights * np.log(m)
        sums = np.array([log_m.sum(), dot(x, log_m)])
        return cls(*histogram(x, weights), sums, x, x * m, weights)

    def evaluate(self, parameters: Floats) -> Evaluation:
        """Value, gradient (3,) and Hessian (3, 3) with respect to (p, q, gamma)."""
        with np.errstate(all="ignore"):
            value, gradient, hessian = self._of_levels(*parameters)
            part = self._of_rows(*parameters)
            return float(value + part[0]), gradient + part[1], hessian + part[2]

    def _of_levels(self, p: float, q: float, gamma: float) -> Evaluation:
        x, n = self.levels, self.counts
        total = n.sum()
        value = n @ (gammaln(p * x + q) - gammaln(p * x) + p * xlogy(x, x))
        value += total * (q * np.log(gamma) - gammaln(q))
        both, own = polygamma(1, p * x + q), polygamma(1, p * x)
        gradient = np.array([
            n @ (x * (digamma(p * x + q) - digamma(p * x)) + xlogy(x, x)),
            n @ digamma(p * x + q) + total * (np.log(gamma) - digamma(q)),
            total * q / gamma,
        ])  # fmt: skip
        pq, qg = n @ (x * both), total / gamma
        hessian = np.array([
            [n @ (x * x * (both - own)), pq, 0.0],
            [pq, n @ both - total * polygamma(1, q), qg],
            [0.0, qg, -total * q / gamma**2],
        ])  # fmt: skip
        return value, gradient, hessian

    def _of_rows(self, p: float, q: float, gamma: float) -> Evaluation:
        """(p x - 1) ln m - (p x + q) ln(gamma + x m)."""
        alone, times_x = sum(
            (self._of_block(slice(at, at + BLOCK), gamma) for at in range(0, len(self.x), BLOCK)),
            start=np.zeros((2, 3)),
        )
        value, slope, curve = q * alone + p * times_x  # sums of p x + q times each
        gradient = np.array([self.log_m[1] - times_x[0], -alone[0], -slope])
        pg, qg = -times_x[1], -alone[1]
        hessian = np.array([[0.0, 0.0, pg], [0.0, 0.0, qg], [pg, qg, curve]])
        return p * self.log_m[1] - self.log_m[0] - value, gradient, hessian

    def _of_block(self, rows: slice, gamma: float) -> Floats:
        """Sums, alone and times x, of ln s, 1/s and 1/s^2 for s = gamma + x m: (2, 3)."""
        spent, weights = gamma + self.spent[rows], self.weights[rows]
        inverse = 1.0 / spent
        each = np.stack([np.log(spent), inverse, inverse * inverse])
        return np.stack([each @ weights, each @ (weights * self.x[rows])])


def fit(
    x: ArrayLike,
    m: ArrayLike,
    weights: ArrayLike | None = None,
    start: GammaGamma | None = None,
    ridge: float = 0.0,
    prior: GammaGamma | None = None,
    settled: float = 0.0,
) -> Fit[GammaGamma]:
    """Maximum likelihood estimates from mean amounts, each argument of shape (n,).

    Uses rows with x > 0 and m > 0 (the ``repeaters``); others are counted in ``rejected``, they
    say nothing about spending and are normal. ``ridge``, ``prior`` and ``settled`` as for the transaction models.
    Never raises on odd data, never answers NaN.

    Flags beside those of every fit: ``no_mean`` (q <= 1: the population mean does not exist) and
    ``no_variance`` (q <= 2); use ``shrunken_spend`` then. Notes: ``spend_varies_with_frequency``
    (``frequency_correlation`` of .3 or more, beyond chance: E(M) of rare and of heavy buyers are
    drawn to the same mean, and totals are biased) and ``amounts_not_positive`` (of 1 % or more of
    the buyers). Margins that may be losses do not fit a gamma law: fit revenue, and multiply by a
    margin rate.
    """
    x, m, weights = floats(x, m, 1.0 if weights is None else weights)
    keep = spenders(x, m) & (weights > 0)
    rejected = int(keep.size - np.count_nonzero(keep))
    if not keep.any():
        return nothing_to_fit(prior or start or GammaGamma(6.0, 4.0, 1.0), "nobody_spent_twice", rejected)
    typical = dot(weights[keep], m[keep]) / float(weights[keep].sum())
    scales = np.array([1.0, 1.0, typical])
    rough = GammaGamma(p=3.0, q=4.0, gamma=typical)
    rows = x[keep], m[keep] / typical, weights[keep]
    held = Ridge(ridge, np.log(_array(prior or rough) / scales))
    begin = _array(start or prior or rough) / scales
    if start is None:
        begin = warm(Spending.of, rows, begin, held)
    optimum = maximise(Spending.of(*rows).evaluate, begin, held, settled if start else 0.0)
    found = _report(optimum, scales, float(rows[2].sum()))
    return replace(
        found,
        params=start if start and stayed(optimum, begin) else found.params,
        customers=round(float(weights.sum())),
        rejected=rejected,
        notes=notes(x, m),
    )


def _report(optimum: Optimum, scales: Floats, spent: float) -> Fit[GammaGamma]:
    params = GammaGamma(*(float(value) for value in optimum.parameters * scales))
    flags = objections(optimum, {"p": params.p, "q": params.q}) + _without_moments(params)
    errors = standard_errors(optimum)
    density = spent * float(np.log(scales[2]))  # per unit of money for each customer
    return Fit(
        params=params,
        log_likelihood=optimum.value - density,
        standard_errors=tuple(e * float(s) for e, s in zip(errors, scales, strict=True)),
        converged=optimum.converged,
        iterations=optimum.iterations,
        flags=flags,
        customers=round(spent),
        repeaters=round(spent),
        rejected=0,
        at_start=optimum.at_start - density,
        covariance=covariance(optimum),
    )


def notes(x: Floats, m: Floats) -> tuple[str, ...]:
    """What speaks against the assumptions without forbidding the fit, see ``fit``."""
    found = []
    count = max(int(np.count_nonzero(spenders(x, m))), 1)
    if abs(frequency_correlation(x, m)) > max(CORRELATED, 3.0 / count**0.5):
        found.append("spend_varies_with_frequency")
    with np.errstate(invalid="ignore"):
        if np.count_nonzero((x > 0) & ~(m > 0)) > 0.01 * np.count_nonzero(x > 0):
            found.append("amounts_not_positive")
    return tuple(found)


def spenders(x: Floats, m: Floats) -> NDArray[np.bool_]:
    """Rows that say something about spending."""
    with np.errstate(invalid="ignore"):
        return (x > 0) & (m > 0) & np.isfinite(x) & np.isfinite(m)


def _array(params: GammaGamma) -> Floats:
    return np.array([params.p, params.q, params.gamma])


def _without_moments(params: GammaGamma) -> tuple[str, ...]:
    if params.q <= 1.0:
        return ("no_mean", "no_variance")
    return ("no_variance",) if params.q <= 2.0 else ()


def log_likelihood(params: GammaGamma, x: ArrayLike, m: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Log-likelihood of mean amounts m over x > 0 purchases, each (n,), m > 0."""
    return Spending.of(*floats(x, m, 1.0 if weights is None else weights)).evaluate(_array(params))[0]


def expected_spend(params: GammaGamma, x: ArrayLike, m: ArrayLike) -> Floats:
    """E(M): expected amount of a future purchase, shape (n,), in the currency of m.

    p (gamma + x m) / (p x + q - 1): the own mean drawn towards the population's, less so the more
    purchases speak. Without a usable mean (x == 0 or m <= 0) the population mean.

    Raises:
        ValueError: q <= 1, the population has no mean; use ``shrunken_spend``.
    """
    if not params.has_mean:
        raise ValueError("The gamma-gamma model has no mean for q <= 1.")
    x, m = floats(x, m)
    known = spenders(x, m)
    x, m = np.where(known, x, 0.0), np.where(known, m, 0.0)
    return params.p * (params.gamma + x * m) / (params.p * x + params.q - 1.0)


def inverse_square(params: GammaGamma, x: ArrayLike, m: ArrayLike) -> Floats:
    """E[1/nu^2] of each customer, shape (n,); the spend S of y purchases has E[S^2] = (p^2 y^2 + p y) E[1/nu^2].

    (gamma + x m)^2 / ((q' - 1) (q' - 2)) with q' = p x + q. Infinite for q' <= 2: there q' - 2 is
    taken as ``LEAST_EXCESS``, a finite stand-in.
    """
    x, m = floats(x, m)
    mean = expected_spend(params, x, m) / params.p
    excess = np.where(spenders(x, m), params.p * x, 0.0) + params.q - 2.0
    return mean**2 * (excess + 1.0) / np.maximum(excess, LEAST_EXCESS)


def shrunken_spend(x: ArrayLike, m: ArrayLike) -> Floats:
    """Expected amount of a future purchase without a model, shape (n,).

    Own mean and the mean of all purchases, the latter counting as one purchase; 0 when nobody
    has spent anything.
    """
    x, m = floats(x, m)
    known = spenders(x, m)
    x, m = np.where(known, x, 0.0), np.where(known, m, 0.0)
    overall = float(x @ m / x.sum()) if x.any() else 0.0
    return (x * m + overall) / (x + 1.0)


def frequency_correlation(x: ArrayLike, m: ArrayLike) -> float:
    """Correlation of x and m over those who spent; the model assumes about 0.

    CDNOW has .11. 0 where it is not defined.
    """
    x, m = floats(x, m)
    known = spenders(x, m)
    x, m = x[known], m[known]
    if len(x) < 3 or np.ptp(x) == 0 or np.ptp(m) == 0:
        return 0.0
    return float(np.corrcoef(x, m)[0, 1])


def simulate(
    params: GammaGamma, rng: np.random.Generator, x: ArrayLike, purchases: ArrayLike
) -> tuple[Floats, Floats]:
    """Mean amount m of x purchases and the total of ``purchases`` later ones, two arrays (n,).

    Of new customers of the model; 0 where there is no purchase.
    """
    x, purchases = floats(x, purchases)
    scale = rng.gamma(params.q, 1.0 / params.gamma, len(x))
    seen = _total(params, rng, x, scale)
    return seen / np.maximum(x, 1.0), _total(params, rng, purchases, scale)


def draw_spend(
    params: GammaGamma, rng: np.random.Generator, x: ArrayLike, m: ArrayLike, purchases: ArrayLike
) -> Floats:
    """A random total of so many purchases of customers with known history, shape (n,).

    nu ~ Gamma(q + p x, gamma + x m), the total ~ Gamma(p y, nu); a mean that says nothing (x == 0
    or m <= 0) leaves the population's law.
    """
    x, m, purchases = floats(x, m, purchases)
    x = np.where(spenders(x, m), x, 0.0)
    spent = x * np.where(x > 0, m, 0.0)
    scale = rng.gamma(params.q + params.p * x, 1.0 / (params.gamma + spent))
    return _total(params, rng, purchases, scale)


def _total(params: GammaGamma, rng: np.random.Generator, count: Floats, scale: Floats) -> Floats:
    """Total of ``count`` purchases, exactly 0 for none."""
    total = rng.gamma(np.maximum(params.p * count, 1e-3)) / scale
    return np.where(count > 0, total, 0.0)
