"""Everything the CRM predicts of a customer, for all customers at once.

Time is in days here, the models must have been fitted in days.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

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
    x, t_x, T, m, margin_rate = floats(x, t_x, T, m, margin_rate)
    sound = usable(x, t_x, T)
    x, t_x, T = (np.where(sound, array, 0.0) for array in (x, t_x, T))
    if spending is None or not spending.has_mean:
        spending, points = None, tuple(replace(point, spending=None) for point in points)
    shop = _Shop.of(points or uncertainty.best(buying, spending), x, t_x, T, m)
    counts, values = shop.ranges(horizon, ((1.0 - coverage) / 2, (1.0 + coverage) / 2))
    purchases = shop.of_living(shop.ahead.expected(horizon))
    delta = float(np.log1p(annual_discount)) / DAYS_PER_YEAR
    discounted = shop.of_living(shop.ahead.discounted(delta, horizon))
    columns = {
        "p_alive": models.of(staying).p_alive(staying, x, t_x, T) if staying else shop.alive,
        "p_no_purchase": (1.0 - shop.alive) + shop.of_living(shop.ahead.silent(churn_horizon)),
        "expected_purchases": purchases,
        "purchases_low": counts[0],
        "purchases_high": counts[1],
        "expected_spend_per_purchase": shop.spend,
        "expected_value": purchases * shop.spend,
        "value_low": values[0],
        "value_high": values[1],
        "clv": discounted * shop.spend * margin_rate,
        "next_purchase_days": shop.distinct.spread(_waits(buying, shop.distinct)),
    }
    return assemble(sound, columns)


def _waits(buying: Any, distinct: Pairs) -> Floats:
    """Median wait of living customers, see ``beta_geometric.next_purchase_wait``."""
    return (buying.alpha + distinct.T) * np.expm1(np.log(2.0) / (buying.r + distinct.x))


@dataclass(frozen=True)
class _Shop:
    """Purchase histories (n,) with what every prediction needs, worked out once.

    ``spend`` is E(M) at the best of the points, or the shrunken own mean.
    """

    points: Sequence[Point]
    histories: tuple[Floats, Floats, Floats]
    m: Floats
    distinct: Pairs
    ahead: Outlook
    alive: Floats
    spend: Floats

    @classmethod
    def of(cls, points: Sequence[Point], x: Floats, t_x: Floats, T: Floats, m: Floats) -> _Shop:
        buying, spending = points[0].buying, points[0].spending
        distinct = pairs(x, T)
        return cls(
            points=points,
            histories=(x, t_x, T),
            m=m,
            distinct=distinct,
            ahead=outlook.of(buying, distinct.x, distinct.T),
            alive=models.of(buying).p_alive(buying, x, t_x, T),
            spend=gamma_gamma.expected_spend(spending, x, m)
            if spending
            else gamma_gamma.shrunken_spend(x, m),
        )

    def of_living(self, values: Floats) -> Floats:
        """Something of living customers, by distinct pair, times P(alive), shape (n,)."""
        return self.alive * self.distinct.spread(values)

    def ranges(self, horizon: float, levels: tuple[float, ...]) -> tuple[Floats, Floats]:
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


def assemble(sound: NDArray[np.bool_], columns: dict[str, Floats]) -> Predictions:
    """Predictions with 0 in every column of the rows that are not sound."""
    if not sound.all():
        columns = {name: np.where(sound, column, 0.0) for name, column in columns.items()}
    return Predictions(**columns, usable=sound)
