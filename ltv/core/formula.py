"""The formulas of customer lifetime value as they are taught, for Decimals or numpy arrays.

Money in, money out, in one currency; a ratio is a plain number (.25 is 25 %), a rate is one per
period, and the period is the caller's. What cannot be (more customers kept than there were, a
margin above the revenue, a negative cost) is refused with a ValueError that names it.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike

from ltv.core.arrays import Floats, floats

Amount = TypeVar("Amount", float, Decimal, Floats)
Number = TypeVar("Number", float, Decimal)

DAYS_PER_MONTH = 365.25 / 12
# three times .1 is .3
ROUNDING = 1e-12


class Payments(StrEnum):
    """Which payments a value counts: the same customer is worth four different amounts.

    With m the margin of a payment, r the retention and d the discount rate of a period:
    first_included m (1+d) / (1+d-r), one payment is made now: a customer just won;
    renewal_due m r (1+d) / (1+d-r), one is due now, if renewed, as in ``sbg.residual_value``;
    residual m r / (1+d-r), one was made just now and is not counted: a customer one has;
    end_of_period m / (1+d-r), one is made for certain at the end of this period.
    """

    FIRST_INCLUDED = "first_included"
    RENEWAL_DUE = "renewal_due"
    RESIDUAL = "residual"
    END_OF_PERIOD = "end_of_period"


def refuse_unless(possible: bool | np.bool_ | np.ndarray, sentence: str) -> None:
    """Refuse what cannot be, NaN included.

    Raises:
        ValueError: ``possible`` does not hold throughout; its message is ``sentence``.
    """
    if not np.all(possible):
        raise ValueError(sentence)


def _not_negative(value: ArrayLike | Decimal, sentence: str) -> None:
    refuse_unless(np.asarray(value, dtype=np.float64) >= 0, sentence)


def lifetime_value(average_purchase: Amount, frequency: Amount, retention_time: Amount) -> Amount:
    """Revenue of a customer's lifetime: average purchase x frequency x retention time.

    ``frequency`` is purchases per unit of time and ``retention_time`` the length of the
    relationship in that unit: 50 a purchase, 2 a month, 12 months give 1200.

    Raises:
        ValueError: frequency or retention time is negative.
    """
    _not_negative(frequency, "A frequency cannot be negative.")
    _not_negative(retention_time, "A retention time cannot be negative.")
    return average_purchase * frequency * retention_time


def retention_value(
    margin: Amount, retention: Amount, discount: Amount, payments: Payments, growth: Amount | int = 0
) -> Amount:
    """Discounted margin of a lifetime in which every period the same share stays.

    ``margin`` is that of a payment made today, ``payments`` says which are counted. With
    ``growth`` the payment t periods from now is margin (1 + growth)^t: d becomes
    (d - growth) / (1 + growth). One retention for all tenures undervalues customers who have
    stayed long, see ``sbg``.

    Raises:
        ValueError: retention outside 0 to 1, discount negative, growth of -100 % or less,
            payments of no such name, or a sum that does not end.

    Source: Fader & Hardie (2012), "Reconciling and clarifying CLV formulas", note 024.
    """
    share, rate = np.asarray(retention, dtype=np.float64), np.asarray(growth, dtype=np.float64)
    refuse_unless((share >= 0) & (share <= 1), "A retention is a share between 0 and 1.")
    _not_negative(discount, "A discount rate cannot be negative.")
    refuse_unless(rate > -1, "Payments cannot shrink by 100 % or more a period.")
    d = (discount - growth) / (1 + growth)
    lost = 1 + d - retention
    refuse_unless(lost > 0, "The value is infinite: customers and growth outlast the discount.")
    counted = {
        Payments.FIRST_INCLUDED: margin * (1 + d),
        Payments.RENEWAL_DUE: margin * retention * (1 + d),
        Payments.RESIDUAL: margin * retention,
        Payments.END_OF_PERIOD: margin,
    }
    return counted[Payments(payments)] / lost


def rate_per_period(annual: Amount, periods_per_year: int) -> Amount:
    """The rate that compounds to ``annual`` in a year: 12 times .797 % a month make 10 %.

    Raises:
        ValueError: the rate is -100 % or less, or there are no periods.
    """
    refuse_unless(np.asarray(annual, dtype=np.float64) > -1, "A rate is above -100 %.")
    refuse_unless(periods_per_year > 0, "A year has one period at least.")
    one = type(annual)(1) if isinstance(annual, Decimal) else 1.0
    return (1 + annual) ** (one / periods_per_year) - 1


def average_purchase(total: Number, orders: int) -> Number | None:
    """Mean amount of a purchase; None without any order."""
    return total / orders if orders else None


def historic_value(paid: Amount, refunded: Amount, margin_rate: Amount) -> Amount:
    """Margin a customer has brought so far: what was paid, net of refunds, x the margin rate.

    Raises:
        ValueError: more was refunded than paid, an amount is negative, or the margin above 100 %.
    """
    _not_negative(refunded, "A refund cannot be negative.")
    _not_negative(paid - refunded, "No more can be refunded than was paid.")
    return margin_clv(paid - refunded, margin_rate)


def margin_clv(ltv: Amount, margin_rate: Amount) -> Amount:
    """Share of a lifetime's revenue that is gross margin; negative where goods sell below cost.

    Raises:
        ValueError: the margin is above 100 % of the revenue.
    """
    rate = np.asarray(margin_rate, dtype=np.float64)
    refuse_unless(rate <= 1, "A margin cannot be more than the revenue.")
    return ltv * margin_rate


def net_ltv(revenue: Amount, acquisition_cost: Amount, retention_cost: Amount) -> Amount:
    """Revenue of a lifetime less what winning and keeping the customer costs; may be negative.

    Raises:
        ValueError: a cost is negative.
    """
    _not_negative(acquisition_cost, "An acquisition cost cannot be negative.")
    _not_negative(retention_cost, "A retention cost cannot be negative.")
    return revenue - acquisition_cost - retention_cost


def cac(spend: Number, new_customers: int) -> Number | None:
    """Customer acquisition cost: spend per new customer; None when there are none.

    Raises:
        ValueError: spend or the number of customers is negative.
    """
    _not_negative(spend, "Marketing spend cannot be negative.")
    _not_negative(new_customers, "Customers are counted from 0.")
    return spend / new_customers if new_customers else None


def ltv_to_cac(ltv: Number, cac: Number | None) -> Number | None:
    """Lifetime value per unit spent on winning the customer: 150 against 50 is 3 (to 1).

    None when the cost is unknown or nothing.

    Raises:
        ValueError: the cost is negative.
    """
    _not_negative(0 if cac is None else cac, "An acquisition cost cannot be negative.")
    return ltv / cac if cac else None


def payback(
    margin: ArrayLike, acquisition_cost: ArrayLike, retention: ArrayLike = 1.0, discount: ArrayLike = 0.0
) -> Floats:
    """Periods until the cumulated margin covers the acquisition cost, shape (n,); inf if never.

    ``margin`` is that of a period while the customer stays, booked at its end; ``retention`` of
    them stay from one period to the next. Finite just where the cost is below ``retention_value``
    with payments at the end of the period, or covered by the first.

    Raises:
        ValueError: retention outside 0 to 1, or discount or cost negative.
    """
    m, cost, r, d = floats(margin, acquisition_cost, retention, discount)
    refuse_unless((r >= 0) & (r <= 1), "A retention is a share between 0 and 1.")
    refuse_unless(d >= 0, "A discount rate cannot be negative.")
    refuse_unless(cost >= 0, "An acquisition cost cannot be negative.")
    first, keeps = m / (1 + d), r / (1 + d)
    needed = np.divide(cost, first, out=np.full_like(m, np.inf), where=first > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        # 1 + keeps + ... + keeps^(n-1) >= needed; at most 1 / (1 - keeps) ever comes
        ever = needed * (1 - keeps)
        geometric = np.where(ever < 1 - ROUNDING, np.log1p(-ever) / np.log(keeps), np.inf)
    count = np.where((keeps < 1) & (needed > 1 + ROUNDING), geometric, needed)
    return np.where(cost > 0, np.maximum(np.ceil(count * (1 - ROUNDING)), 1.0), 0.0)


def highest_affordable_cac(clv: Amount, ratio: int = 3) -> Amount:
    """The most a new customer may cost while CLV : CAC stays at ``ratio`` : 1; 0 for a CLV below 0.

    Raises:
        ValueError: ``ratio`` is not positive.
    """
    refuse_unless(ratio > 0, "The ratio of CLV to CAC must be positive.")
    return _from_nothing(clv) / ratio


def break_even_cac(clv: Amount, retention_cost: Amount) -> Amount:
    """The most a new customer may cost without a loss: CLV less what keeping costs, at least 0.

    Raises:
        ValueError: the retention cost is negative.
    """
    _not_negative(retention_cost, "A retention cost cannot be negative.")
    return _from_nothing(clv - retention_cost)


def _from_nothing(amount: Amount) -> Amount:
    """The amount, or 0 of its kind where it is negative."""
    return np.maximum(amount, 0.0) if isinstance(amount, np.ndarray) else max(amount, type(amount)(0))


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
