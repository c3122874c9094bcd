"""Season and trend, taken out by measuring time in the purchases of the whole population.

A common intensity lambda(t) makes everybody buy more before Christmas and in a growing year. In
operational time, Lambda(t) = integral of lambda, the same customers are stationary: x stays, t_x,
T and the horizon are differences of Lambda, and every model applies as it is.

The intensity is estimated from weekly counts of repeat purchases against what the model, given who
had been acquired by then, expects of a stationary shop: growth in customers is no trend, and
neither is the silence of customers who have left. ln lambda is a trend plus waves of a year, each
held near nothing by a normal prior; how firmly is chosen by the marginal likelihood of the counts
with their over-dispersion, so that a shop without season or trend gets next to none. Cohorts are
taken to be alike: customers who buy less than earlier ones would be taken for a falling trend.

The future repeats the season at the last level of the trend: a trend is never extrapolated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ltv.core.arrays import Floats, floats, usable
from ltv.core.models import Model

YEAR, WEEK = 365.2425, 7.0
# waves of a year: the shortest takes five weeks
WAVES = 10
# less than this cannot be told from the shop's ups and downs
MIN_DAYS, MIN_PURCHASES = 53 * WEEK, 500
# candidates for the deviation of ln lambda: by the first wave (the k-th has a k-th of it), by a year of trend
WAVE_DEVIATIONS = (0.0, 0.03, 0.1, 0.3, 1.0)
TREND_DEVIATIONS = (0.0, 0.03, 0.1, 0.3)
PASSES = 4
AGES = 400
# the rule of ``worth_it``
MIN_ORIGINS, MIN_GAIN, MIN_SHARE = 3, 0.01, 2 / 3


class HistoryTooShort(ValueError):
    """A year and a week of purchases are needed to tell a season from chance."""


class TooFewPurchases(ValueError):
    """Fewer repeat purchases than a season can be read from."""


@dataclass(frozen=True)
class Season:
    """ln lambda(t) = level + slope t' + sum over k of [cos_k cos(2 pi k t/year) + sin_k sin(...)].

    Days are numbered by the caller (``date.toordinal`` serves); t' is the day cut to the observed
    ``first_day .. last_day``. The level is such that the observed days are as long as they were.
    """

    level: float
    slope: float
    cosines: tuple[float, ...]
    sines: tuple[float, ...]
    first_day: float
    last_day: float

    def intensity(self, days: ArrayLike) -> Floats:
        """lambda of each day, 1 on average over the days observed."""
        (days,) = floats(days)
        columns = _design(days, self.first_day, self.last_day)
        return np.exp(columns @ np.array([self.level, self.slope, *self.cosines, *self.sines]))

    def elapsed(self, start: ArrayLike, end: ArrayLike) -> Floats:
        """Operational time from start to end, shape (n,); negative where end lies before start."""
        start, end = floats(start, end)
        if not len(start):
            return np.empty(0)
        days, passed = self._clock(min(start.min(), end.min()), max(start.max(), end.max()))
        return np.interp(end, days, passed) - np.interp(start, days, passed)

    def histories(self, first: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> tuple[Floats, Floats]:
        """t_x and T in operational time, for customers (n,) who first bought on day ``first``."""
        first, t_x, T = floats(first, t_x, T)
        return self.elapsed(first, first + t_x), self.elapsed(first, first + T)

    def horizon(self, end: float, days: float) -> float:
        """Operational time of the ``days`` after day ``end``."""
        return float(self.elapsed(end, end + days)[0])

    def days_after(self, end: float, operational: ArrayLike, limit: float = 10 * YEAR) -> Floats:
        """Days after day ``end`` in which so much operational time passes, (n,); at most ``limit``."""
        (operational,) = floats(operational)
        days, passed = self._clock(end, end + limit)
        return np.interp(operational, passed - np.interp(end, days, passed), days) - end

    def discount(self, annual: float, end: float, days: float) -> float:
        """The annual rate that discounts the operational time of a horizon as ``annual`` does its days."""
        return float((1.0 + annual) ** (days / self.horizon(end, days)) - 1.0)

    def _clock(self, low: float, high: float) -> tuple[Floats, Floats]:
        """Whole days that hold low .. high, and operational time at the start of each."""
        days = np.arange(np.floor(low), np.ceil(high) + 2.0)
        return days, np.concatenate([[0.0], np.cumsum(self.intensity(days[:-1] + 0.5))])


def flat(first_day: float, last_day: float) -> Season:
    """No season and no trend: operational time is the calendar's."""
    none = (0.0,) * WAVES
    return Season(0.0, 0.0, none, none, first_day, last_day)


def estimate(
    model: Model[Any], first: ArrayLike, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, repeats: ArrayLike
) -> Season:
    """The season of a shop.

    Customers (n,): day of the first purchase, x, t_x and T in days, all observed to one last day.
    ``repeats`` (k,) are the days of all their repeat purchases, in any order. ``model`` says what
    a stationary shop would do; parameters and season are fitted in turns.

    Raises:
        HistoryTooShort: less than 53 weeks lie between the first purchase of all and the end.
        TooFewPurchases: fewer than 500 repeat purchases.
    """
    first, x, t_x, T = floats(first, x, t_x, T)
    keep = usable(x, t_x, T)
    first, x, t_x, T = (column[keep] for column in (first, x, t_x, T))
    (repeats,) = floats(repeats)
    end = float(np.max(first + T, initial=0.0))
    start = float(np.min(first, initial=end))
    if end - start < MIN_DAYS:
        raise HistoryTooShort(f"{end - start:.0f} days of purchases, {MIN_DAYS:.0f} needed.")
    if len(repeats) < MIN_PURCHASES:
        raise TooFewPurchases(f"{len(repeats)} repeat purchases, {MIN_PURCHASES} needed.")
    weeks = np.arange(end - WEEK * np.floor((end - start) / WEEK), end + 1e-9, WEEK)
    counts = np.histogram(repeats, weeks)[0].astype(np.float64)
    season = flat(start, end)
    for _ in range(PASSES):
        times = season.histories(first, t_x, T)
        params = model.fit(x, *times, ridge=0.05).params
        season = _improve(season, weeks, counts, _expected(model, params, season, first, weeks))
    return season


def _expected(model: Model[Any], params: Any, season: Season, first: Floats, weeks: Floats) -> Floats:
    """Repeat purchases the model expects in each week from all customers acquired by then."""
    cohorts, sizes = np.unique(np.floor(first), return_counts=True)
    ages = np.maximum(season.elapsed(np.full_like(weeks, weeks[0]), weeks), 0.0)
    since = season.elapsed(np.full(len(cohorts), weeks[0]), cohorts)
    age = np.maximum(ages[:, None] - since[None, :], 0.0)
    grid = float(age.max()) * np.linspace(0.0, 1.0, AGES) ** 2
    bought = np.interp(age, grid, model.expected_purchases_new(params, grid))
    return np.diff(bought @ sizes.astype(np.float64))


def _improve(season: Season, weeks: Floats, counts: Floats, expected: Floats) -> Season:
    """One step of penalised Poisson regression of the counts on trend and waves."""
    middles = (weeks[:-1] + weeks[1:]) / 2
    seen = expected > 0.5
    columns = _design(middles[seen], season.first_day, season.last_day)
    now = np.log(season.intensity(middles[seen]))
    target = now + np.clip((counts[seen] - expected[seen]) / expected[seen], -2.0, 2.0)
    beta = _shrunken(columns, target, expected[seen])
    rough = replace(
        season,
        level=0.0,
        slope=float(beta[1]),
        cosines=tuple(beta[2 : 2 + WAVES].tolist()),
        sines=tuple(beta[2 + WAVES :].tolist()),
    )
    observed = season.last_day - season.first_day
    mean = float(rough.elapsed(season.first_day, season.last_day)[0]) / observed
    return replace(rough, level=-float(np.log(mean)))


def _design(days: Floats, first_day: float, last_day: float) -> Floats:
    """Columns (n, 2 + 2 WAVES): 1, years of trend, cosines and sines."""
    trend = (np.clip(days, first_day, last_day) - (first_day + last_day) / 2) / YEAR
    phase = 2.0 * np.pi / YEAR * np.arange(1.0, WAVES + 1.0) * days[:, None]
    return np.column_stack([np.ones(len(days)), trend, np.cos(phase), np.sin(phase)])


def _shrunken(columns: Floats, target: Floats, weights: Floats) -> Floats:
    """Coefficients of the regression at the priors that explain the target best.

    ``weights`` are the precisions of the target without over-dispersion; that is taken from what the
    loosest prior leaves over.
    """
    size = np.concatenate([[1e-6, 1.0], *(2 * [np.arange(1.0, WAVES + 1.0) ** 2])])

    def precisions(wave: float, trend: float) -> Floats:
        scale = np.concatenate(
            [[1.0, 1.0 / max(trend, 1e-4) ** 2], np.full(2 * WAVES, max(wave, 1e-4) ** -2)]
        )
        return size * scale

    loosest = precisions(WAVE_DEVIATIONS[-1], TREND_DEVIATIONS[-1])
    left = target - columns @ _posterior(columns, target, weights, loosest)[0]
    spare = max(len(target) - columns.shape[1], 1)
    weights = weights / max(1.0, float(weights @ left**2) / spare)
    fits = [
        _posterior(columns, target, weights, precisions(wave, trend))
        for wave in WAVE_DEVIATIONS
        for trend in TREND_DEVIATIONS
    ]
    return max(fits, key=lambda fit: fit[1])[0]


def _posterior(columns: Floats, target: Floats, weights: Floats, prior: Floats) -> tuple[Floats, float]:
    """Mean of the coefficients under normal priors about 0, and the log marginal likelihood."""
    information = columns.T @ (weights[:, None] * columns)
    both = information + np.diag(prior)
    pull = columns.T @ (weights * target)
    beta = np.linalg.solve(both, pull).astype(np.float64)
    misfit = float(weights @ target**2) - float(pull @ beta)
    _, log_det = np.linalg.slogdet(both)
    return beta, 0.5 * (float(np.sum(np.log(prior))) - float(log_det) - misfit)


def worth_it(plain: Sequence[float], seasonal: Sequence[float]) -> bool:
    """Whether operational time is to be used, from the losses of both at the same origins.

    Losses are of a backtest on purchases not seen, lower is better. On from three origins on, when
    the season lowers the mean loss by 1 % at least and is the better one at two thirds of them.
    """
    before, after = np.asarray(plain, dtype=np.float64), np.asarray(seasonal, dtype=np.float64)
    if len(before) < MIN_ORIGINS or len(before) != len(after):
        return False
    lower = float(after.mean()) <= (1.0 - MIN_GAIN) * float(before.mean())
    return lower and float(np.mean(after < before)) >= MIN_SHARE
