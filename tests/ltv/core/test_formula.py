from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ltv.core import formula
from ltv.core.formula import Payments
from tests.reference import subscriptions

ANY = settings(max_examples=100, deadline=None)


def test_fifty_twice_a_month_for_a_year_is_1200():
    assert formula.lifetime_value(Decimal(50), Decimal(2), Decimal(12)) == Decimal(1200)


def test_thirty_once_a_month_for_two_years_is_720():
    assert formula.lifetime_value(Decimal(30), Decimal(1), Decimal(24)) == Decimal(720)


def test_lifetime_value_of_many_customers_is_computed_at_once():
    ltv = formula.lifetime_value(np.array([50.0, 30.0]), np.array([2.0, 1.0]), np.array([12.0, 24.0]))

    assert ltv.tolist() == [1200.0, 720.0]


# 100 a year, three in four stay, 25 % a year: each year is worth .6 of the one before
CONVENTIONS = {
    Payments.FIRST_INCLUDED: Decimal(250),
    Payments.RENEWAL_DUE: Decimal("187.5"),
    Payments.RESIDUAL: Decimal(150),
    Payments.END_OF_PERIOD: Decimal(200),
}


@pytest.mark.parametrize("payments", Payments)
def test_each_convention_counts_its_own_payments(payments):
    value = formula.retention_value(Decimal(100), Decimal("0.75"), Decimal("0.25"), payments)

    assert isinstance(value, Decimal)
    assert value == CONVENTIONS[payments]


@pytest.mark.parametrize("payments", Payments)
def test_a_value_is_the_sum_of_its_payments(payments):
    m, r, d, g = 40.0, 0.8, 0.12, 0.03
    # when each payment is made, and how many periods the customer must have stayed for it
    made, stayed = {
        Payments.FIRST_INCLUDED: (np.arange(400), np.arange(400)),
        Payments.RENEWAL_DUE: (np.arange(400), np.arange(1, 401)),
        Payments.RESIDUAL: (np.arange(1, 401), np.arange(1, 401)),
        Payments.END_OF_PERIOD: (np.arange(1, 401), np.arange(400)),
    }[payments]

    value = formula.retention_value(m, r, d, payments, growth=g)

    assert value == pytest.approx((m * (1 + g) ** made * r**stayed / (1 + d) ** made).sum())


def test_one_retention_for_all_tenures_is_worth_343_dollars():
    value = formula.retention_value(100, subscriptions.CONSTANT_RETENTION, 0.1, Payments.RENEWAL_DUE)

    assert round(value) == subscriptions.CONSTANT_VALUE


def test_values_of_many_customers_are_computed_at_once():
    values = formula.retention_value(
        np.array([100.0, 10.0]), np.array([0.75, 0.0]), 0.25, Payments.END_OF_PERIOD
    )

    assert values.tolist() == [200.0, 8.0]


@pytest.mark.parametrize(
    ("r", "d", "g", "sentence"),
    [
        (1.01, 0.1, 0.0, "retention"),
        (-0.1, 0.1, 0.0, "retention"),
        (np.nan, 0.1, 0.0, "retention"),
        (0.8, -0.1, 0.0, "discount"),
        (0.8, 0.1, -1.0, "shrink"),
        (1.0, 0.0, 0.0, "infinite"),
        (0.9, 0.1, 0.3, "infinite"),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_name(r, d, g, sentence):
    with pytest.raises(ValueError, match=sentence):
        formula.retention_value(100.0, r, d, Payments.RESIDUAL, growth=g)


def test_a_convention_without_a_name_is_refused():
    with pytest.raises(ValueError, match="somehow"):
        formula.retention_value(100.0, 0.8, 0.1, "somehow")


def test_twelve_monthly_rates_compound_to_the_annual_one():
    monthly = formula.rate_per_period(Decimal("0.1"), 12)

    assert isinstance(monthly, Decimal)
    assert (1 + monthly) ** 12 == pytest.approx(Decimal("1.1"), abs=Decimal("1e-20"))
    assert formula.rate_per_period(0.1, 12) == pytest.approx(float(monthly))


def test_rates_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="-100 %"):
        formula.rate_per_period(-1.0, 12)
    with pytest.raises(ValueError, match="one period"):
        formula.rate_per_period(0.1, 0)


def test_alternating_340_and_490_average_415():
    amounts = [Decimal(340), Decimal(490)] * 6

    assert formula.average_purchase(sum(amounts), len(amounts)) == Decimal(415)


def test_nobody_has_an_average_purchase_without_orders():
    assert formula.average_purchase(Decimal(0), 0) is None


def test_history_is_worth_the_margin_of_what_was_kept():
    assert formula.historic_value(Decimal(500), Decimal(100), Decimal("0.25")) == Decimal(100)
    assert formula.historic_value(np.array([500.0, 80.0]), 80.0, 0.5).tolist() == [210.0, 0.0]


def test_margin_is_a_share_of_the_revenue():
    assert formula.margin_clv(Decimal(1200), Decimal("0.25")) == Decimal(300)


def test_goods_may_sell_below_cost():
    assert formula.margin_clv(Decimal(1200), Decimal("-0.25")) == Decimal(-300)


def test_net_value_may_be_negative():
    assert formula.net_ltv(Decimal(1200), Decimal(150), Decimal(50)) == Decimal(1000)
    assert formula.net_ltv(Decimal(100), Decimal(150), Decimal(50)) == Decimal(-100)


def test_acquisition_cost_is_spend_per_new_customer():
    assert formula.cac(Decimal(5000), 100) == Decimal(50)


def test_there_is_no_acquisition_cost_without_new_customers():
    assert formula.cac(Decimal(5000), 0) is None


def test_150_against_50_is_three_to_one():
    assert formula.ltv_to_cac(Decimal(150), Decimal(50)) == Decimal(3)


@pytest.mark.parametrize("cost", [None, Decimal(0)])
def test_there_is_no_ratio_to_a_cost_that_is_unknown_or_nothing(cost):
    assert formula.ltv_to_cac(Decimal(150), cost) is None


@pytest.mark.parametrize(
    ("margin", "cost", "r", "d", "periods"),
    [
        (50, 150, 1, 0, 3),
        (50, 151, 1, 0, 4),
        (0.1, 0.3, 1, 0, 3),  # .3 / .1 is a rounding below 3,
        (1.1, 3.3, 1, 0, 3),  # 3.3 / 1.1 one above
        (50, 150, 1, 0.01, 4),  # 49.50 + 49.01 + 48.53 = 147.05
        (50, 87.5, 0.75, 0, 2),  # 50 + 37.5
        (50, 87.6, 0.75, 0, 3),
        (50, 199, 0.75, 0, 19),  # all there will ever be is 200
        (50, 200, 0.75, 0, np.inf),
        (10, 100, 0.9, 0, np.inf),
        (50, 50, 0, 0, 1),
        (50, 51, 0, 0, np.inf),
        (0, 10, 1, 0, np.inf),
        (-5, 10, 1, 0, np.inf),
        (50, 0, 0.5, 0, 0),
        (-5, 0, 0.5, 0, 0),
    ],
)
def test_payback_is_the_period_in_which_the_margin_covers_the_cost(margin, cost, r, d, periods):
    assert formula.payback(margin, cost, r, d).tolist() == [periods]


@ANY
@given(st.floats(1, 100), st.floats(0.1, 2_000), st.floats(0, 1), st.floats(0, 0.5))
def test_the_cost_is_covered_in_that_period_and_not_before(m, cost, r, d):
    periods = formula.payback(m, cost, r, d)[0]

    if np.isinf(periods):
        assert d + 1 - r == 0 or cost >= m / (1 + d - r) * (1 - 1e-9)
    elif periods < 1e5:
        booked = np.cumsum(m * r ** np.arange(periods) / (1 + d) ** np.arange(1, periods + 1))
        assert booked[-1] >= cost * (1 - 1e-9)
        assert len(booked) == 1 or booked[-2] <= cost * (1 + 1e-9)


def test_at_three_to_one_a_customer_worth_150_may_cost_50():
    assert formula.highest_affordable_cac(Decimal(150)) == Decimal(50)
    assert formula.highest_affordable_cac(Decimal(150), ratio=5) == Decimal(30)


def test_without_a_loss_a_customer_may_cost_what_is_left_of_the_margin():
    assert formula.break_even_cac(Decimal(150), Decimal(40)) == Decimal(110)
    assert formula.break_even_cac(np.array([150.0, 30.0]), 40.0).tolist() == [110.0, 0.0]


def test_a_customer_who_loses_money_may_cost_nothing():
    for allowed in (
        formula.highest_affordable_cac(Decimal(-90)),
        formula.break_even_cac(Decimal(30), Decimal(40)),
    ):
        assert str(allowed) == "0"
    assert formula.highest_affordable_cac(np.array([-90.0, 90.0])).tolist() == [0.0, 30.0]


@pytest.mark.parametrize(
    ("refused", "sentence"),
    [
        (lambda: formula.lifetime_value(50, -1, 12), "frequency"),
        (lambda: formula.lifetime_value(50, 1, Decimal("NaN")), "retention time"),
        (lambda: formula.historic_value(50, -1, 0.5), "refund"),
        (lambda: formula.historic_value(50, 51, 0.5), "more can be refunded"),
        (lambda: formula.historic_value(50, 5, 1.5), "margin"),
        (lambda: formula.margin_clv(np.array([5.0, 5.0]), np.array([0.5, 1.01])), "margin"),
        (lambda: formula.net_ltv(100, -1, 0), "acquisition cost"),
        (lambda: formula.net_ltv(100, 0, -1), "retention cost"),
        (lambda: formula.cac(-1, 3), "spend"),
        (lambda: formula.cac(1, -3), "counted"),
        (lambda: formula.ltv_to_cac(100, Decimal(-1)), "acquisition cost"),
        (lambda: formula.payback(1, 1, 1.1), "retention"),
        (lambda: formula.payback(1, 1, 1, -0.1), "discount"),
        (lambda: formula.payback(1, -1), "acquisition cost"),
        (lambda: formula.highest_affordable_cac(Decimal(150), ratio=0), "positive"),
        (lambda: formula.break_even_cac(100, -1), "retention cost"),
    ],
)
def test_what_cannot_be_is_refused_by_name(refused, sentence):
    with pytest.raises(ValueError, match=sentence):
        refused()


def test_frequency_counts_at_least_one_observed_month():
    months = formula.purchases_per_month([3, 3, 24], [0, 10, 365.25])

    assert months.tolist() == [3.0, 3.0, 2.0]


def test_formula_ltv_of_each_customer():
    ltv = formula.formula_ltv([1200, 0], [24, 0], [365.25, 100], 12)

    assert ltv.tolist() == [1200.0, 0.0]
