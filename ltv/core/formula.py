"""The formulas of customer lifetime value as they are taught, for Decimals or numpy arrays.

Money in, money out, in one currency; a ratio is a plain number (.25 is 25 %).
"""

from __future__ import annotations

from decimal import Decimal
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike

from ltv.core.arrays import Floats, floats

Amount = TypeVar("Amount", float, Decimal, Floats)
Number = TypeVar("Number", float, Decimal)

DAYS_PER_MONTH = 365.25 / 12


def lifetime_value(average_purchase: Amount, frequency: Amount, retention_time: Amount) -> Amount:
    """Revenue of a customer's lifetime: average purchase x frequency x retention time.

    ``frequency`` is purchases per unit of time and ``retention_time`` the length of the
    relationship in that unit: 50 a purchase, 2 a month, 12 months give 1200.
    """
    return average_purchase * frequency * retention_time


def average_purchase(total: Number, orders: int) -> Number | None:
    """Mean amount of a purchase; None without any order."""
    return total / orders if orders else None


def margin_clv(ltv: Amount, margin_rate: Amount) -> Amount:
    """Share of a lifetime's revenue that is gross margin."""
    return ltv * margin_rate


def net_ltv(revenue: Amount, acquisition_cost: Amount, retention_cost: Amount) -> Amount:
    """Revenue of a lifetime less what winning and keeping the customer costs; may be negative."""
    return revenue - acquisition_cost - retention_cost


def cac(spend: Number, new_customers: int) -> Number | None:
    """Customer acquisition cost: spend per new customer; None when there are none."""
    return spend / new_customers if new_customers else None


def ltv_to_cac(ltv: Number, cac: Number | None) -> Number | None:
    """Lifetime value per unit spent on winning the customer: 150 against 50 is 3 (to 1).

    None when the cost is unknown or nothing.
    """
    return ltv / cac if cac else None


def highest_affordable_cac(clv: Amount, ratio: int = 3) -> Amount:
    """The most a new customer may cost while CLV : CAC stays at ``ratio`` : 1.

    Raises:
        ValueError: ``ratio`` is not positive.
    """
    if ratio <= 0:
        raise ValueError("The ratio of CLV to CAC must be positive.")
    return clv / ratio


def purchases_per_month(purchases: ArrayLike, observed_days: ArrayLike) -> Floats:
    """Frequency of each customer, shape (n,): purchases over the observed months.

    The observation runs from the first purchase (counted in ``purchases``) to today and counts
    as one month at least, so that a customer of yesterday is not taken for one who buys daily.
    A month is 365.25 / 12 days.
    """
    purchases, observed_days = floats(purchases, observed_days)
    return purchases / np.maximum(observed_days / DAYS_PER_MONTH, 1.0)


def formula_ltv(
    total: ArrayLike,
    purchases: ArrayLike,
    observed_days: ArrayLike,
    retention_months: ArrayLike,
) -> Floats:
    """Formula LTV of each customer, shape (n,), in the currency of ``total``.

    Average purchase (total / purchases) x purchases per month (see ``purchases_per_month``) x
    ``retention_months``, the expected length of the whole relationship, which the caller states:
    history does not tell it. 0 for customers without purchases.
    """
    total, purchases, observed_days, retention_months = floats(
        total, purchases, observed_days, retention_months
    )
    average = np.divide(total, purchases, out=np.zeros_like(total), where=purchases > 0)
    frequency = purchases_per_month(purchases, observed_days)
    return lifetime_value(average, frequency, retention_months)
