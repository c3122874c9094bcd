"""Everything the CRM predicts of a customer, for all customers at once.

Time is in days here, the models must have been fitted in days.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ltv.core import gamma_gamma, models, outlook, revenue, uncertainty
from ltv.core.arrays import Floats, Pairs, floats, pairs, usable
from ltv.core.gamma_gamma import GammaGamma
from ltv.core.outlook import Outlook
from ltv.core.uncertainty import Point

DAYS_PER_YEAR = 365.0


@dataclass(frozen=True)
class Predictions:
    """One entry per customer in every field, shape (n,); no entry is ever NaN.

    p_alive: still a customer today; p_no_purchase: buys nothing in the churn horizon;
    expected_purchases, purchases_low, purchases_high: purchase days in the horizon, their mean
    and predictive interval (80 % by default); expected_spend_per_purchase; expected_value,
    value_low, value_high: revenue in the horizon, undiscounted, mean and predictive interval;
    clv: margin of the horizon, discounted to today; next_purchase_days: days in which half of the
    customers like this one, if still customers, have bought again (their median wait);
    usable: False marks a row no purchase history can have, all its other entries are 0.
    """

    p_alive: Floats
    p_no_purchase: Floats
    expected_purchases: Floats
    purchases_low: Floats
    purchases_high: Floats
    expected_spend_per_purchase: Floats
    expected_value: Floats
    value_low: Floats
    value_high: Floats
    clv: Floats
    next_purchase_days: Floats
    usable: NDArray[np.bool_]


def predict(
    buying: Any,
    staying: Any | None,
    spending: GammaGamma | None,
    x: ArrayLike,
    t_x: ArrayLike,
    T: ArrayLike,
    m: ArrayLike,
    horizon: float,
    churn_horizon: float,
    margin_rate: ArrayLike,
    annual_discount: float,
    coverage: float = 0.8,
    points: Sequence[Point] = (),
) -> Predictions:
    """Predict from purchase histories x, t_x, T (days) and m (money), each of shape (n,).

    Counts come from the parameters ``buying`` of any transaction model; P(alive) from ``staying``
    where given, because BG/NBD calls every one-time buyer alive. Without ``spending``, or when it
    has no mean (q <= 1), spend is the shrunken own mean and the interval of the value is that of
    the counts. ``horizon`` and ``churn_horizon`` are days; ``margin_rate`` a share of revenue, one
    for all or (n,); ``annual_discount`` .1 is 10 % a year, applied continuously:
    CLV = margin * E(M) * integral of (1+d)^(-t/365) dE[Y(t)].

    ``coverage`` is that of the intervals. They take the parameters for certain unless ``points``
    (``uncertainty.likely``) are given, which is worth its time below about 2,000 customers.
    """
    ahead = Forecast.of(buying, staying, spending, x, t_x, T, m, points)
    return ahead.predictions(horizon, churn_horizon, margin_rate, annual_discount, coverage)


@dataclass(frozen=True)
class Horizon:
    """What customers do within one horizon, shape (n,): purchase days and revenue, mean and interval."""

    purchases: Floats
    purchases_low: Floats
    purchases_high: Floats
    value: Floats
    value_low: Floats
    value_high: Floats


@dataclass(frozen=True)
class Forecast:
    """Purchase histories (n,) with what every prediction needs, worked out once; see ``predict``.

    ``spend`` is E(M) at the best of the points, or the shrunken own mean; ``alive`` that of the model of
    counts, ``p_alive`` that of ``staying``.
    """

    points: Sequence[Point]
    histories: tuple[Floats, Floats, Floats]
    m: Floats
    distinct: Pairs
    ahead: Outlook
    alive: Floats
    staying: Any | None
    spend: Floats
    sound: NDArray[np.bool_]

    @classmethod
    def of(
        cls,
        buying: Any,
        staying: Any | None,
        spending: GammaGamma | None,
        x: ArrayLike,
        t_x: ArrayLike,
        T: ArrayLike,
        m: ArrayLike,
        points: Sequence[Point] = (),
    ) -> Forecast:
        """Of histories x, t_x, T (days) and m (money), (n,); those that cannot be are as if new and not sound."""
        x, t_x, T, m = floats(x, t_x, T, m)
        sound = usable(x, t_x, T)
        if not sound.all():
            x, t_x, T = (np.where(sound, array, 0.0) for array in (x, t_x, T))
        if spending is None or not spending.has_mean:
            spending, points = None, tuple(replace(point, spending=None) for point in points)
        points = points or uncertainty.best(buying, spending)
        best, paid = points[0].buying, points[0].spending
        distinct = pairs(x, T)
        alive = models.of(best).p_alive(best, x, t_x, T)
        return cls(
            points=points,
            histories=(x, t_x, T),
            m=m,
            distinct=distinct,
            ahead=outlook.of(best, distinct.x, distinct.T),
            alive=alive,
            staying=staying,
            spend=gamma_gamma.expected_spend(paid, x, m) if paid else gamma_gamma.shrunken_spend(x, m),
            sound=sound,
        )

    @cached_property
    def p_alive(self) -> Floats:
        """P(still a customer)."""
        staying = self.staying
        return models.of(staying).p_alive(staying, *self.histories) if staying else self.alive

    def within(self, horizon: float, coverage: float = 0.8) -> Horizon:
        """Purchases and revenue within ``horizon`` days, with intervals of this coverage."""
        counts, values = self._ranges(horizon, ((1.0 - coverage) / 2, (1.0 + coverage) / 2))
        purchases = self._of_living(self.ahead.expected(horizon))
        columns = (purchases, *counts, purchases * self.spend, *values)
        return Horizon(*(self._sound(column) for column in columns))

    def p_no_purchase(self, horizon: float) -> Floats:
        """P(no purchase within ``horizon`` days)."""
        return self._sound((1.0 - self.alive) + self._of_living(self.ahead.silent(horizon)))

    def revenue(self, horizon: float, annual_discount: float) -> Floats:
        """Revenue within ``horizon`` days, discounted to today."""
        delta = float(np.log1p(annual_discount)) / DAYS_PER_YEAR
        return self._sound(self._of_living(self.ahead.discounted(delta, horizon)) * self.spend)

    def wait(self, share: float) -> Floats:
        """Days in which this share of customers like each one, if still customers, have bought again.

        See ``beta_geometric.next_purchase_wait``.
        """
        buying, distinct = self.points[0].buying, self.distinct
        days = (buying.alpha + distinct.T) * np.expm1(-np.log1p(-share) / (buying.r + distinct.x))
        return self._sound(distinct.spread(days))

    def predictions(
        self,
        horizon: float,
        churn_horizon: float,
        margin_rate: ArrayLike,
        annual_discount: float,
        coverage: float = 0.8,
    ) -> Predictions:
        """Everything at one horizon; arguments as ``predict``."""
        coming = self.within(horizon, coverage)
        return gather(self, coming, horizon, churn_horizon, margin_rate, annual_discount)

    def _sound(self, column: Floats) -> Floats:
        return column if self.sound.all() else np.where(self.sound, column, 0.0)

    def _of_living(self, values: Floats) -> Floats:
        """Something of living customers, by distinct pair, times P(alive), shape (n,)."""
        return self.alive * self.distinct.spread(values)

    def _ranges(self, horizon: float, levels: tuple[float, ...]) -> tuple[Floats, Floats]:
        """Quantiles of purchases and of revenue, (len(levels), n) each."""
        if len(self.points) > 1:
            counts = uncertainty.purchase_quantiles(self.points, *self.histories, horizon, levels)
        else:
            counts = outlook.count_quantiles(self.ahead, horizon, self.distinct.index, self.alive, levels)
        spending = self.points[0].spending
        if spending is None:
            return counts, counts * self.spend
        if len(self.points) > 1:
            return counts, uncertainty.spend_quantiles(self.points, *self.histories, self.m, horizon, levels)
        known = self.points[0].buying, spending, self.distinct, self.spend, self.alive, horizon
        return counts, np.vstack(revenue.quantiles(*known, levels))


class Answers(Protocol):
    """What a forecast answers, whatever it rests on; all arrays (n,), 0 where a history is not sound."""

    @property
    def p_alive(self) -> Floats:
        """P(still a customer)."""

    @property
    def spend(self) -> Floats:
        """Expected spend per purchase."""

    @property
    def sound(self) -> NDArray[np.bool_]:
        """False for a row no purchase history can have."""

    def within(self, horizon: float) -> Horizon:
        """Purchases and revenue within ``horizon`` days, with 80 % intervals."""

    def p_no_purchase(self, horizon: float) -> Floats:
        """P(no purchase within ``horizon`` days)."""

    def revenue(self, horizon: float, annual_discount: float) -> Floats:
        """Revenue within ``horizon`` days, discounted to today."""

    def wait(self, share: float) -> Floats:
        """Days in which this share of customers like each one have bought again."""


def gather(
    found: Any,
    coming: Horizon,
    horizon: float,
    churn_horizon: float,
    margin_rate: ArrayLike,
    annual_discount: float,
) -> Predictions:
    """The predictions of one horizon; ``found`` has the ``Answers``."""
    (margin_rate,) = floats(margin_rate)
    columns = {
        "p_alive": found.p_alive,
        "p_no_purchase": found.p_no_purchase(churn_horizon),
        "expected_purchases": coming.purchases,
        "purchases_low": coming.purchases_low,
        "purchases_high": coming.purchases_high,
        "expected_spend_per_purchase": found.spend,
        "expected_value": coming.value,
        "value_low": coming.value_low,
        "value_high": coming.value_high,
        "clv": found.revenue(horizon, annual_discount) * margin_rate,
        "next_purchase_days": found.wait(0.5),
    }
    return assemble(found.sound, columns)


def assemble(sound: NDArray[np.bool_], columns: dict[str, Floats]) -> Predictions:
    """Predictions with 0 in every column of the rows that are not sound."""
    if not sound.all():
        columns = {name: np.where(sound, column, 0.0) for name, column in columns.items()}
    return Predictions(**columns, usable=sound)
