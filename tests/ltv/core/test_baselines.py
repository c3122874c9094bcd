"""The rules of thumb, each on customers whose answer can be worked out by hand."""

import numpy as np
import pytest

from ltv.core import formula, summary
from ltv.core.baselines import BASELINES
from ltv.core.candidates import Seen

# a year, all customers acquired within it
ORIGIN, WINDOW = 365, 100
# customer, day, amount
LOG = (
    ("often", 0, 10.0), ("often", 100, 20.0), ("often", 200, 30.0), ("often", 300, 40.0),
    ("once", 165, 50.0),
    ("gone", 0, 5.0), ("gone", 20, 15.0), ("gone", 40, 10.0),
    ("today", 365, 7.0),
    ("new", 300, 8.0), ("new", 360, 12.0),
)  # fmt: skip
NAMES = ["gone", "new", "often", "once", "today"]


def seen(window=WINDOW, later=()):
    customers, days, amounts = zip(*LOG, *later, strict=True)
    return Seen.of(summary.purchase_log(customers, np.array(days), amounts), ORIGIN, window)


def rule(name, horizon=WINDOW):
    (candidate,) = [one for one in BASELINES if one.name == name]
    return candidate.fit(seen(), float(horizon))


def forecast(name, t=WINDOW):
    """Purchase days and money of the next ``t`` days by customer."""
    fitted = rule(name)
    expected = fitted.expected(float(t))
    return {
        customer: (pytest.approx(days), pytest.approx(money))
        for customer, days, money in zip(NAMES, expected, expected * fitted.amounts[name].mean, strict=True)
    }


def test_what_is_seen_at_an_origin():
    found = seen()

    assert found.x.tolist() == [2, 1, 3, 0, 0]
    assert found.t_x.tolist() == [40, 60, 300, 0, 0]
    assert found.T.tolist() == [365, 65, 365, 200, 0]
    assert found.m.tolist() == [12.5, 12.0, 30.0, 0, 0]
    assert found.revenue.tolist() == [30, 20, 100, 50, 7]


def test_the_window_has_the_days_after_its_start_and_the_first_purchase_when_it_falls_there():
    found = seen()

    assert found.window == WINDOW
    assert found.window_days.tolist() == [0, 2, 1, 0, 1]
    assert found.window_revenue.tolist() == [0, 20, 40, 0, 7]


def test_a_window_reaching_back_to_the_first_purchase_of_all_has_everything_after_it():
    found = seen(window=365)

    # the first purchases of day 0 are the last of the window before
    assert found.window_days.tolist() == [2, 2, 3, 1, 1]
    assert found.window_revenue.tolist() == [25, 20, 90, 50, 7]


def test_nothing_after_the_origin_is_seen():
    later = (("gone", 366, 99.0), ("stranger", 366, 99.0), ("often", 400, -40.0))

    for before, after in zip(vars(seen()).values(), vars(seen(later=later)).values(), strict=True):
        assert np.array_equal(before, after)


def test_the_past_rate_goes_on_with_the_own_mean():
    assert forecast("past_rate") == {
        "gone": (2 / 365 * 100, 2 / 365 * 100 * 10),
        "new": (1 / 65 * 100, 1 / 65 * 100 * 10),
        "often": (3 / 365 * 100, 3 / 365 * 100 * 25),
        "once": (0, 0),
        "today": (0, 0),
    }


def test_the_past_rate_with_the_first_purchase_counts_a_month_at_least():
    month = formula.DAYS_PER_MONTH

    assert forecast("past_rate_with_first") == {
        "gone": (3 / 365 * 100, 3 / 365 * 100 * 10),
        "new": (2 / 65 * 100, 2 / 65 * 100 * 10),
        "often": (4 / 365 * 100, 4 / 365 * 100 * 25),
        "once": (1 / 200 * 100, 1 / 200 * 100 * 50),
        "today": (1 / month * 100, 1 / month * 100 * 7),
    }


def test_the_last_window_comes_again():
    assert forecast("last_window") == {
        "gone": (0, 0),
        "new": (2, 20),
        "often": (1, 40),
        "once": (0, 0),
        "today": (1, 7),
    }


def test_half_a_horizon_brings_half_of_the_last_window():
    assert forecast("last_window", t=50)["often"] == (0.5, 20)


def test_who_is_silent_for_two_own_gaps_is_gone():
    # often: gap 100, silent 65; gone: gap 20, silent 325; new: gap 60, silent 5
    assert forecast("recency") == {
        "gone": (0, 0),
        "new": (1 / 65 * 100, 1 / 65 * 100 * 10),
        "often": (3 / 365 * 100, 3 / 365 * 100 * 25),
        "once": (0, 0),
        "today": (0, 0),
    }


def test_exactly_two_own_gaps_are_not_yet_too_long():
    made = Seen(*np.array([[1.0, 1.0], [100.0, 100.0], [300.0, 301.0]]), *np.full((2, 2), 10.0), 90.0,
                *np.zeros((2, 2)))  # fmt: skip
    (recency,) = [one for one in BASELINES if one.name == "recency"]

    assert (recency.fit(made, 90.0).expected(90.0) > 0).tolist() == [True, False]


def test_the_formula_is_that_of_the_formula_ltv():
    found = seen()
    fitted = rule("formula")

    ltv = formula.formula_ltv(found.revenue, found.x + 1, found.T, WINDOW / formula.DAYS_PER_MONTH)

    assert fitted.expected(WINDOW) * fitted.amounts["formula"].mean == pytest.approx(ltv)


@pytest.mark.parametrize("name", ["past_rate", "past_rate_with_first", "last_window"])
def test_purchases_at_a_rate_stay_out_as_those_of_a_poisson_process(name):
    fitted = rule(name)

    assert fitted.p_no_purchase == pytest.approx(np.exp(-fitted.expected(WINDOW)))


@pytest.mark.parametrize("name", ["recency", "formula"])
def test_rules_without_chance_give_no_probability(name):
    assert rule(name).p_no_purchase is None


@pytest.mark.parametrize("candidate", BASELINES, ids=lambda candidate: candidate.name)
def test_no_rule_gives_a_range_or_a_distribution(candidate):
    fitted = candidate.fit(seen(), 100.0)

    assert candidate.baseline
    assert fitted.step == "rule"
    assert fitted.interval(0.8) is None
    assert fitted.placed(np.zeros(5)) is None
    assert fitted.placed_spend(candidate.name, np.arange(5), np.zeros(5)) is None
