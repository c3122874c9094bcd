"""What takes part in a backtest: models and rules, fitted to what was seen up to an origin.

Time is in days, money in one currency. A candidate is a whole procedure, with the ladder of
``fallback`` a night would climb, not a formula with parameters somebody chose.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Protocol

import numpy as np

from ltv.core import amounts, fallback, summary
from ltv.core.amounts import Amounts
from ltv.core.arrays import Floats, Ints
from ltv.core.models import MODELS, Model

# ends the name of a forecast whose amounts are learnt from the first purchase days too
ALL_DAYS = "_all_days"


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
    def of_repeats(self) -> Amounts:
        """Amounts learnt from the repeat purchase days, as the literature has it."""
        return amounts.learn(self.x, self.m)

    @cached_property
    def of_all_days(self) -> Amounts:
        """Amounts learnt from all purchase days, which say something of one-time buyers too."""
        return amounts.learn(self.x + 1.0, self.revenue / (self.x + 1.0))


class Fitted(Protocol):
    """A candidate fitted at an origin for a horizon; every array has one entry per customer."""

    @property
    def step(self) -> str:
        """The step of the ladder it stands on; "rule" for rules."""

    @property
    def amounts(self) -> dict[str, Amounts]:
        """Money per purchase day, by name of the forecast: the same counts may serve several."""

    @property
    def p_no_purchase(self) -> Floats | None:
        """Probability to buy nothing in the horizon; None for rules that know none."""

    def expected(self, t: float) -> Floats:
        """Expected purchase days in the next ``t`` days."""

    def interval(self, coverage: float) -> tuple[Floats, Floats] | None:
        """Central predictive interval of the purchase days; None for rules without a distribution."""

    def placed(self, y: Floats) -> tuple[Floats, Floats] | None:
        """P(Y < y) and P(Y <= y) of the purchase days; None likewise."""

    def placed_spend(self, name: str, rows: Ints, spend: Floats) -> tuple[Floats, Floats] | None:
        """P(S < s) and P(S <= s) of the spend (k,) of the customers at ``rows`` (k,), with the amounts
        called ``name``; None likewise, and where a plain mean is all that was learnt."""


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
    horizon: float
    step: str
    amounts: dict[str, Amounts]

    @property
    def _histories(self) -> tuple[Floats, Floats, Floats]:
        return self.seen.x, self.seen.t_x, self.seen.T

    @cached_property
    def p_no_purchase(self) -> Floats:
        return self.model.p_no_purchase(self.params, *self._histories, self.horizon)

    def expected(self, t: float) -> Floats:
        return self.model.expected_purchases(self.params, *self._histories, t)

    def interval(self, coverage: float) -> tuple[Floats, Floats]:
        tail = (1.0 - coverage) / 2
        levels = (tail, 1.0 - tail)
        low, high = self.model.purchase_quantiles(self.params, *self._histories, self.horizon, levels)
        return low, high

    def placed(self, y: Floats) -> tuple[Floats, Floats]:
        # most buy nothing, and that has a closed form
        below, upto = np.zeros(len(y)), self.p_no_purchase.copy()
        some = np.flatnonzero(y > 0)
        below[some] = 1.0 - self._exceeds(some, y[some] - 1.0)
        upto[some] = 1.0 - self._exceeds(some, y[some])
        return below, upto

    def placed_spend(self, name: str, rows: Ints, spend: Floats) -> tuple[Floats, Floats] | None:
        learnt = self.amounts[name].part(rows)
        if learnt.params is None:
            return None
        reached = learnt.law(lambda part, y: self._exceeds(rows[part], y), spend)
        bought = spend > 0
        return np.where(bought, reached, 0.0), np.where(bought, reached, self.p_no_purchase[rows])

    def _exceeds(self, rows: Ints, y: Floats | float) -> Floats:
        x, t_x, T = (array[rows] for array in self._histories)
        return self.model.exceeds(self.params, x, t_x, T, self.horizon, y)


def fit_model(name: str, model: Model[Any], seen: Seen, horizon: float) -> Modelled | None:
    """On the step of the ladder a night without a past would stand on; with either way of learning the amounts."""
    choice = fallback.climb(model, seen.x, seen.t_x, seen.T)
    if choice.params is None:
        return None
    learnt = {name: seen.of_repeats, f"{name}{ALL_DAYS}": seen.of_all_days}
    return Modelled(model, choice.params, seen, horizon, choice.step, learnt)


MODELLED = tuple(Candidate(name, partial(fit_model, name, model)) for name, model in MODELS.items())
