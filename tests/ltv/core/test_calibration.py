"""On simulated customers what the core says happens as often as it says."""

from functools import cache

import numpy as np
import pytest

from ltv.core import bgnbd, clv, gamma_gamma, mbgnbd, simulate, uncertainty
from ltv.core.bgnbd import BgNbd
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


# a shop with customers in every group, and how many shops of each size
BUSY = BgNbd(r=0.8, alpha=20.0, a=0.6, b=2.5)
SHOPS = {500: 60, 5_000: 6, 50_000: 1}


@cache
def levels(size):
    """x, and P(Y <= what was bought) and P(S <= what was spent), by the parameters each shop was fitted with.

    Uniform when the law is right; within the mass of a whole number, or of no spend, at random. Seed: the size.
    """
    rng = np.random.default_rng(size)
    shops = [levels_of_a_shop(rng, size) for _ in range(SHOPS[size])]
    return tuple(np.concatenate(column) for column in zip(*shops, strict=True))


def levels_of_a_shop(rng, size):
    people = simulate.population(rng, BUSY, GG, rng.uniform(1, 700, size), HORIZON)
    history = people.x, people.t_x, people.T
    fit, spending = bgnbd.fit(*history, ridge=0.05), gamma_gamma.fit(people.x, people.m, ridge=0.05)
    points = uncertainty.likely(fit.params, fit.covariance) if size == 500 else uncertainty.best(fit.params)
    at_random = rng.random(size)

    def counts(y):
        return uncertainty.average(
            points, lambda p: uncertainty.purchases_cdf(p.buying, *history, HORIZON, y)
        )

    below, upto = counts(people.purchases - 1.0), counts(people.purchases)
    spent = uncertainty.spend_cdf(fit.params, spending.params, *history, people.m, HORIZON, people.revenue)
    return (
        people.x,
        below + at_random * (upto - below),
        np.where(people.revenue > 0, spent, at_random * spent),
    )


@pytest.mark.parametrize(("fewest", "most"), [(0, 10_000), *GROUPS])
@pytest.mark.parametrize("coverage", [0.8, 0.9])
@pytest.mark.parametrize("size", SHOPS)
def test_ranges_hold_what_they_say_in_shops_of_every_size_and_for_buyers_of_every_kind(
    size, coverage, fewest, most
):
    x, *laws = levels(size)
    rows = (x >= fewest) & (x <= most)

    for law in laws:
        inside = np.abs(law[rows] - 0.5) < coverage / 2
        # by chance alone .008 in the smallest group
        assert inside.mean() == pytest.approx(coverage, abs=0.02)


def test_every_level_is_reached_as_often_as_it_says_at_fifty_thousand_customers():
    _, *laws = levels(50_000)

    for law in laws:
        assert np.abs(np.sort(law) - (np.arange(50_000) + 0.5) / 50_000).max() < 0.01
