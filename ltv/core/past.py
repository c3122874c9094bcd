"""What customers have been worth so far, by the formulas as they are taught, for all at once.

Money in and out in whole thousandths of one currency (int64), so that sums are exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltv.core.arrays import Floats, Ints
from ltv.core.formula import DAYS_PER_MONTH


@dataclass(frozen=True)
class Past:
    """Per buyer (n,): average purchase, purchases a month, formula LTV and margin CLV (= formula LTV x margin rate)."""

    average_purchase: Ints
    purchases_per_month: Floats
    formula_ltv: Ints
    margin_clv: Ints


def past(
    orders: NDArray[Any],
    days_observed: NDArray[Any],
    revenue: Ints,
    margin: Ints,
    retention_months: float,
    margin_rate: float,
) -> Past:
    """Formula LTV = average purchase x purchases a month x months of retention, over at least one month observed.

    ``days_observed`` counts the first and the last day. The margin rate is the customer's own; ``margin_rate``
    where there is no revenue to have one of.
    """
    months = np.maximum(days_observed / DAYS_PER_MONTH, 1.0)
    formula = revenue / months * retention_months
    own = np.where(revenue > 0, margin / np.maximum(revenue, 1), margin_rate)
    return Past(
        average_purchase=(2 * revenue + orders) // (2 * np.maximum(orders, 1)),
        purchases_per_month=orders / months,
        formula_ltv=np.rint(formula).astype(np.int64),
        margin_clv=np.rint(formula * own).astype(np.int64),
    )
