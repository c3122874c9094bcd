"""On 50,000 simulated customers what the core says happens as often as it says."""

import numpy as np
import pytest
from scipy.special import betainc, betaln

from ltv.core import bgnbd, clv, mbgnbd
from tests.ltv.core.populations import BG, GG, HORIZON, MBG, shop


@pytest.fixture(scope="module")
def people():
    return shop()


@pytest.fixture(scope="module")
def predictions(people):
    return clv.predict(
        BG, None, GG, people.x, people.t_x, people.T, people.m, HORIZON, 90.0, 0.3, 0.1
    )  # fmt: skip


GROUPS = [(0, 0), (1, 3), (4, 15), (16, 10_000)]


@pytest.mark.parametrize(("module", "params"), [(bgnbd, BG), (mbgnbd, MBG)])
def test_of_customers_alive_with_some_probability_that_share_is_alive(module, params):
    shoppers = shop(params)
    alive = module.p_alive(params, shoppers.x, shoppers.t_x, shoppers.T)

    for low in np.arange(0.0, 1.0, 0.2):
        rows = (alive >= low) & (alive < low + 0.2)
        assert shoppers.alive[rows].mean() == pytest.approx(alive[rows].mean(), abs=0.02)


@pytest.mark.parametrize(("fewest", "most"), GROUPS)
def test_expected_purchases_happen(people, predictions, fewest, most):
    rows = (people.x >= fewest) & (people.x <= most)

    error = (people.purchases - predictions.expected_purchases)[rows]

    assert abs(error.mean()) < 4 * error.std() / np.sqrt(rows.sum())


@pytest.mark.parametrize("params", [BG, MBG], ids=["bg", "mbg"])
def test_no_purchase_happens_as_often_as_predicted(params):
    shoppers = shop(params)
    module = bgnbd if params is BG else mbgnbd
    silent = module.p_no_purchase(params, shoppers.x, shoppers.t_x, shoppers.T, HORIZON)

    for low in np.arange(0.0, 1.0, 0.2):
        rows = (silent >= low) & (silent < low + 0.2)
        assert (shoppers.purchases[rows] == 0).mean() == pytest.approx(silent[rows].mean(), abs=0.02)


@pytest.mark.parametrize("coverage", [0.9, 0.8, 0.5])
def test_randomised_intervals_of_counts_cover_what_they_say(people, coverage):
    level = randomised_level(people, np.random.default_rng(7))

    inside = np.abs(level - 0.5) < coverage / 2

    assert inside.mean() == pytest.approx(coverage, abs=0.01)


def randomised_level(people, rng):
    """P(Y < y) + u P(Y = y) at the purchases made: uniform when the predictive law is right."""
    alive = bgnbd.p_alive(BG, people.x, people.t_x, people.T)
    below = 1.0 - alive * tail(people, people.purchases - 1.0)
    upto = 1.0 - alive * tail(people, people.purchases)
    below = np.where(people.purchases == 0, 0.0, below)
    return below + rng.random(len(below)) * (upto - below)


def tail(people, y):
    y = np.maximum(y, 0.0)
    stays = np.exp(betaln(BG.a, BG.b + people.x + y) - betaln(BG.a, BG.b + people.x))
    z = HORIZON / (BG.alpha + people.T + HORIZON)
    return stays * betainc(y + 1.0, BG.r + people.x, z)


def test_whole_number_intervals_cover_at_least_what_they_say(people, predictions):
    inside = (people.purchases >= predictions.purchases_low) & (
        people.purchases <= predictions.purchases_high
    )

    assert inside.mean() >= 0.8


@pytest.mark.parametrize(("fewest", "most"), GROUPS)
def test_one_in_ten_spends_more_than_the_upper_end(people, predictions, fewest, most):
    rows = (people.x >= fewest) & (people.x <= most)
    # who buys anything with less than 10 % has an upper end of 0
    buys = 1.0 - bgnbd.p_no_purchase(BG, people.x, people.t_x, people.T, HORIZON)

    above = (people.revenue > predictions.value_high)[rows]

    assert above.mean() == pytest.approx(np.minimum(0.1, buys[rows]).mean(), abs=0.02)


@pytest.mark.parametrize(("fewest", "most"), GROUPS)
def test_one_in_ten_spends_less_than_the_lower_end(people, predictions, fewest, most):
    rows = (people.x >= fewest) & (people.x <= most)
    silent = bgnbd.p_no_purchase(BG, people.x, people.t_x, people.T, HORIZON)

    below = (people.revenue < predictions.value_low)[rows]

    assert below.mean() == pytest.approx(np.where(silent[rows] < 0.1, 0.1, 0.0).mean(), abs=0.02)


def test_eighty_percent_of_revenues_lie_in_their_interval_when_zeros_are_split_at_random(people, predictions):
    rng = np.random.default_rng(8)
    silent = bgnbd.p_no_purchase(BG, people.x, people.t_x, people.T, HORIZON)
    level_of_zero = rng.random(len(silent)) * silent
    zero = people.revenue == 0

    above = np.where(zero, level_of_zero > 0.9, people.revenue > predictions.value_high)
    below = np.where(zero, level_of_zero < 0.1, people.revenue < predictions.value_low)
    inside = 1.0 - above.mean() - below.mean()

    assert inside == pytest.approx(0.8, abs=0.01)


def test_expected_revenue_is_earned(people, predictions):
    error = people.revenue - predictions.expected_value

    assert abs(error.mean()) < 4 * error.std() / np.sqrt(len(error))
