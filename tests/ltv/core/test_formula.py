from decimal import Decimal

import numpy as np
import pytest

from ltv.core import formula


def test_fifty_twice_a_month_for_a_year_is_1200():
    assert formula.lifetime_value(Decimal(50), Decimal(2), Decimal(12)) == Decimal(1200)


def test_thirty_once_a_month_for_two_years_is_720():
    assert formula.lifetime_value(Decimal(30), Decimal(1), Decimal(24)) == Decimal(720)


def test_lifetime_value_of_many_customers_is_computed_at_once():
    ltv = formula.lifetime_value(np.array([50.0, 30.0]), np.array([2.0, 1.0]), np.array([12.0, 24.0]))

    assert ltv.tolist() == [1200.0, 720.0]


def test_alternating_340_and_490_average_415():
    amounts = [Decimal(340), Decimal(490)] * 6

    assert formula.average_purchase(sum(amounts), len(amounts)) == Decimal(415)


def test_nobody_has_an_average_purchase_without_orders():
    assert formula.average_purchase(Decimal(0), 0) is None


def test_margin_is_a_share_of_the_revenue():
    assert formula.margin_clv(Decimal(1200), Decimal("0.25")) == Decimal(300)


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


def test_at_three_to_one_a_customer_worth_150_may_cost_50():
    assert formula.highest_affordable_cac(Decimal(150)) == Decimal(50)
    assert formula.highest_affordable_cac(Decimal(150), ratio=5) == Decimal(30)


def test_a_ratio_of_nothing_is_refused():
    with pytest.raises(ValueError, match="positive"):
        formula.highest_affordable_cac(Decimal(150), ratio=0)


def test_frequency_counts_at_least_one_observed_month():
    months = formula.purchases_per_month([3, 3, 24], [0, 10, 365.25])

    assert months.tolist() == [3.0, 3.0, 2.0]


def test_formula_ltv_of_each_customer():
    ltv = formula.formula_ltv([1200, 0], [24, 0], [365.25, 100], 12)

    assert ltv.tolist() == [1200.0, 0.0]
