"""Everything the CRM predicts of a customer, for all customers at once.

Time is in days here, the models must have been fitted in days.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ltv.core import future, gamma_gamma, revenue
from ltv.core.arrays import Floats, Pairs, floats, pairs, usable
from ltv.core.beta_geometric import living, next_purchase_wait, p_alive, p_no_purchase
from ltv.core.bgnbd import BgNbd
from ltv.core.gamma_gamma import GammaGamma
from ltv.core.mbgnbd import MbgNbd

DAYS_PER_YEAR = 365.0
# probability left outside at each end of the 80 % intervals
TAIL = 0.1


@dataclass(frozen=True)
class Predictions:
    """One entry per customer in every field, shape (n,); no entry is ever NaN.

    p_alive: still a customer today; p_no_purchase: buys nothing in the churn horizon;
    expected_purchases, purchases_low, purchases_high: purchase days in the horizon, their mean
    and 80 % predictive interval; expected_spend_per_purchase; expected_value, value_low,
    value_high: revenue in the horizon, undiscounted, mean and 80 % predictive interval;
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
    bg: BgNbd,
    mbg: MbgNbd | None,
    gg: GammaGamma | None,
    x: ArrayLike,
    t_x: ArrayLike,
    T: ArrayLike,
    m: ArrayLike,
    horizon: float,
    churn_horizon: float,
    margin_rate: ArrayLike,
    annual_discount: float,
) -> Predictions:
    """Predict from purchase histories x, t_x, T (days) and m (money), each of shape (n,).

    Counts come from ``bg``; P(alive) from ``mbg`` where given, because ``bg`` calls every one-time
    buyer alive. Without ``gg``, or when it has no mean (q <= 1), spend is the shrunken own mean
    and the interval of the value is that of the counts. ``horizon`` and ``churn_horizon`` are
    days; ``margin_rate`` a share of revenue, one for all or (n,); ``annual_discount`` .1 is 10 %
    a year, applied continuously: CLV = margin * E(M) * integral of (1+d)^(-t/365) dE[Y(t)].
    """
    x, t_x, T, m, margin_rate = floats(x, t_x, T, m, margin_rate)
    sound = usable(x, t_x, T)
    x, t_x, T = (np.where(sound, array, 0.0) for array in (x, t_x, T))
    if gg is not None and not gg.has_mean:
        gg = None

    distinct = pairs(x, T)
    alive = p_alive(bg, x, t_x, T)
    known = living(bg, distinct.x, distinct.T)
    purchases = alive * distinct.spread(future.expected(known, horizon))
    delta = float(np.log1p(annual_discount)) / DAYS_PER_YEAR
    now = alive * distinct.spread(future.discounted(known, delta, horizon))
    counts = future.quantiles(known, horizon, distinct.index, alive, (TAIL, 1.0 - TAIL))
    spend, values = _money(bg, gg, distinct, x, m, alive, counts, horizon)
    columns = {
        "p_alive": alive if mbg is None else p_alive(mbg, x, t_x, T),
        "p_no_purchase": p_no_purchase(bg, x, t_x, T, churn_horizon),
        "expected_purchases": purchases,
        "purchases_low": counts[0],
        "purchases_high": counts[1],
        "expected_spend_per_purchase": spend,
        "expected_value": purchases * spend,
        "value_low": values[0],
        "value_high": values[1],
        "clv": now * spend * margin_rate,
        "next_purchase_days": _waits(bg, distinct),
    }
    return assemble(sound, columns)


def assemble(sound: NDArray[np.bool_], columns: dict[str, Floats]) -> Predictions:
    """Predictions with 0 in every column of the rows that are not sound."""
    if not sound.all():
        columns = {name: np.where(sound, column, 0.0) for name, column in columns.items()}
    return Predictions(**columns, usable=sound)


def _waits(bg: BgNbd, distinct: Pairs) -> Floats:
    return distinct.spread(next_purchase_wait(bg, distinct.x, distinct.T))


def _money(
    bg: BgNbd,
    gg: GammaGamma | None,
    distinct: Pairs,
    x: Floats,
    m: Floats,
    alive: Floats,
    counts: Floats,
    horizon: float,
) -> tuple[Floats, tuple[Floats, ...]]:
    """Expected spend per purchase and the interval of the revenue."""
    if gg is None:
        spend = gamma_gamma.shrunken_spend(x, m)
        return spend, tuple(count * spend for count in counts)
    spend = gamma_gamma.expected_spend(gg, x, m)
    return spend, revenue.quantiles(bg, gg, distinct, spend, alive, horizon, (TAIL, 1.0 - TAIL))
