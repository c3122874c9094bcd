"""What takes part in a backtest: models and rules, fitted to what was seen up to an origin.

Time is in days, money in one currency. A candidate is a whole procedure, with the ladder of
``fallback`` a night would climb, not a formula with parameters somebody chose.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, Protocol

import numpy as np

from ltv.core import fallback, gamma_gamma, summary
from ltv.core.arrays import Floats
from ltv.core.models import MODELS, Model


@dataclass(frozen=True)
class Seen:
    """What was known of the customers at an origin, shape (n,) each.

    x, t_x, T, m as in ``ltv.core``; revenue: everything bought, the first day included;
    window_days, window_revenue: purchase days and money of the last ``window`` days, the first
    purchase included when it falls there.
    """

    x: Floats
    t_x: Floats
    T: Floats
    m: Floats
    revenue: Floats
    window: float
    window_days: Floats
    window_revenue: Floats

    @classmethod
    def of(cls, log: summary.Log, origin: int, window: int) -> Seen:
        """As it was at the end of the day ``origin``; nothing later is looked at."""
        now = summary.summarise(log, origin)
        before = summary.split(log, origin - window, until=origin)
        known = window <= now.T
        place = np.searchsorted(before.calibration.customers, now.customers[known])
        days, revenue = now.x + 1.0, now.revenue.copy()
        days[known], revenue[known] = before.purchases[place], before.spend[place]
        return cls(now.x, now.t_x, now.T, now.m, now.revenue, float(window), days, revenue)

    @cached_property
    def amount_of_repeats(self) -> Floats:
        """Expected amount of a purchase day, learnt from the repeat purchase days."""
        return expected_amount(self.x, self.m)

    @cached_property
    def amount_of_all_days(self) -> Floats:
        """The same learnt from all purchase days: says something of one-time buyers too."""
        return expected_amount(self.x + 1.0, self.revenue / (self.x + 1.0))


def expected_amount(days: Floats, mean: Floats) -> Floats:
    """Expected amount of a purchase day from the mean of ``days`` days, shape (n,).

    By gamma-gamma where its fit holds, else the shrunken own mean.
    """
    fit = gamma_gamma.fit(days, mean, ridge=fallback.NIGHTLY_RIDGE)
    if fit.ok and not fallback.enough_data(fit.customers, fit.repeaters):
        return gamma_gamma.expected_spend(fit.params, days, mean)
    return gamma_gamma.shrunken_spend(days, mean)


class Fitted(Protocol):
    """A candidate fitted at an origin; every array has one entry per customer."""

    @property
    def step(self) -> str:
        """The step of the ladder it stands on; "rule" for rules."""

    @property
    def amounts(self) -> dict[str, Floats]:
        """Expected money per purchase day, by name of the forecast: the same counts may serve several."""

    def expected(self, t: float) -> Floats:
        """Expected purchase days in the next ``t`` days."""

    def p_no_purchase(self, t: float) -> Floats | None:
        """Probability to buy nothing in the next ``t`` days; None for rules that know none."""

    def interval(self, t: float, coverage: float) -> tuple[Floats, Floats] | None:
        """Central predictive interval of the purchase days; None for rules without one."""

    def placed(self, y: Floats, t: float) -> tuple[Floats, Floats] | None:
        """P(Y < y) and P(Y <= y) of the purchase days; None for rules without a distribution."""


@dataclass(frozen=True)
class Candidate:
    """Fits at an origin, for a horizon in days; None when its data are too few."""

    name: str
    fit: Callable[[Seen, float], Fitted | None]
    baseline: bool = False


@dataclass(frozen=True)
class Modelled:
    """A transaction model with its parameters and the histories it predicts from."""

    model: Model[Any]
    params: Any
    seen: Seen
    step: str
    amounts: dict[str, Floats] = field(repr=False)

    @property
    def _histories(self) -> tuple[Floats, Floats, Floats]:
        return self.seen.x, self.seen.t_x, self.seen.T

    def expected(self, t: float) -> Floats:
        return self.model.expected_purchases(self.params, *self._histories, t)

    def p_no_purchase(self, t: float) -> Floats:
        return self.model.p_no_purchase(self.params, *self._histories, t)

    def interval(self, t: float, coverage: float) -> tuple[Floats, Floats]:
        tail = (1.0 - coverage) / 2
        low, high = self.model.purchase_quantiles(self.params, *self._histories, t, (tail, 1.0 - tail))
        return low, high

    def placed(self, y: Floats, t: float) -> tuple[Floats, Floats]:
        # most buy nothing, and that has a closed form
        below, upto = np.zeros(len(y)), self.p_no_purchase(t)
        some = np.flatnonzero(y > 0)
        x, t_x, T = (array[some] for array in self._histories)
        for placed, count in ((below, y[some] - 1.0), (upto, y[some])):
            placed[some] = 1.0 - self.model.exceeds(self.params, x, t_x, T, t, count)
        return below, upto


def fit_model(name: str, model: Model[Any], seen: Seen, horizon: float) -> Modelled | None:
    """Own fit, else one held by the prior; with either way of learning the amounts."""
    histories = seen.x, seen.t_x, seen.T
    own = model.fit(*histories, ridge=fallback.NIGHTLY_RIDGE)
    choice = fallback.choose(own, None, None)
    if choice.params is None:
        choice = fallback.choose(own, None, model.fit(*histories, ridge=fallback.POOLED_RIDGE))
    if choice.params is None:
        return None
    amounts = {name: seen.amount_of_repeats, f"{name}_all_days": seen.amount_of_all_days}
    return Modelled(model, choice.params, seen, choice.step, amounts)


MODELLED = tuple(Candidate(name, partial(fit_model, name, model)) for name, model in MODELS.items())
