from dataclasses import astuple, fields

import numpy as np
import pytest

from ltv.core import bgnbd, clv, gamma_gamma, mbgnbd, revenue
from ltv.core.arrays import pairs
from ltv.core.bgnbd import BgNbd
from ltv.core.gamma_gamma import GammaGamma
from tests.ltv.core.populations import BG, GG, HORIZON, MBG, shop


@pytest.fixture(scope="module")
def people():
    return shop(customers=4_000, seed=5)


def predict(people, mbg=None, gg=GG, horizon=HORIZON, margin=0.3, discount=0.1):
    return clv.predict(BG, mbg, gg, people.x, people.t_x, people.T, people.m, horizon, 90.0, margin, discount)


def test_every_column_has_one_number_per_customer(people):
    found = predict(people, MBG)

    for field in fields(found):
        column = getattr(found, field.name)
        assert column.shape == (4_000,)
        assert np.isfinite(column).all()


def test_columns_are_those_of_the_models(people):
    found = predict(people, MBG)

    histories = people.x, people.t_x, people.T
    low, high = bgnbd.purchase_quantiles(BG, *histories, HORIZON, (0.1, 0.9))
    assert found.p_alive == pytest.approx(mbgnbd.p_alive(MBG, *histories))
    assert found.p_no_purchase == pytest.approx(bgnbd.p_no_purchase(BG, *histories, 90.0))
    assert found.expected_purchases == pytest.approx(bgnbd.expected_purchases(BG, *histories, HORIZON))
    assert found.purchases_low.tolist() == low.tolist()
    assert found.purchases_high.tolist() == high.tolist()
    assert found.expected_spend_per_purchase == pytest.approx(
        gamma_gamma.expected_spend(GG, people.x, people.m)
    )
    assert found.expected_value == pytest.approx(found.expected_purchases * found.expected_spend_per_purchase)
    assert found.next_purchase_days == pytest.approx(bgnbd.next_purchase_wait(BG, people.x, people.T))


def test_without_the_modified_model_p_alive_is_that_of_the_counts(people):
    found = predict(people)

    assert found.p_alive == pytest.approx(bgnbd.p_alive(BG, people.x, people.t_x, people.T))


def test_undiscounted_clv_is_the_margin_of_the_expected_value(people):
    found = predict(people, discount=0.0)

    assert found.clv == pytest.approx(0.3 * found.expected_value)


@pytest.mark.parametrize("years", [1, 3, 10])
def test_discounting_agrees_with_the_sum_over_short_periods(people, years):
    histories = people.x[:20], people.t_x[:20], people.T[:20]
    steps = np.arange(0, years * 365 + 1, years)
    upto = np.array([bgnbd.expected_purchases(BG, *histories, day) for day in steps])
    middles = (steps[1:] + steps[:-1]) / 2 / 365
    discounted = (1.1**-middles) @ np.diff(upto, axis=0)

    found = clv.predict(BG, None, GG, *histories, people.m[:20], years * 365.0, 90.0, 1.0, 0.1)

    assert found.clv == pytest.approx(discounted * found.expected_spend_per_purchase, rel=1e-5)


def test_every_customer_may_have_an_own_margin(people):
    margins = np.linspace(0.1, 0.5, 4_000)

    assert predict(people, margin=margins).clv == pytest.approx(predict(people, margin=1.0).clv * margins)


@pytest.mark.parametrize("gg", [None, GammaGamma(3.0, 0.9, 30.0)], ids=["none", "no mean"])
def test_without_a_usable_model_of_spending_the_shrunken_mean_is_used(people, gg):
    found = predict(people, gg=gg)

    spend = gamma_gamma.shrunken_spend(people.x, people.m)
    assert found.expected_spend_per_purchase == pytest.approx(spend)
    assert found.value_high == pytest.approx(found.purchases_high * spend)


def test_the_order_of_customers_does_not_matter(people):
    order = np.random.default_rng(1).permutation(4_000)
    found = predict(people)

    shuffled = clv.predict(
        BG, None, GG, people.x[order], people.t_x[order], people.T[order], people.m[order],
        HORIZON, 90.0, 0.3, 0.1,
    )  # fmt: skip

    for before, after in zip(astuple(found), astuple(shuffled), strict=True):
        assert after == pytest.approx(before[order], rel=1e-9)


def test_nobody_is_predicted_to_be_nobody():
    found = clv.predict(BG, MBG, GG, [], [], [], [], HORIZON, 90.0, 0.3, 0.1)

    assert all(column.shape == (0,) for column in astuple(found))


def test_quantiles_of_revenue_are_those_of_the_exact_law(people):
    rows = slice(0, 200)
    x, t_x, T, m = people.x[rows], people.t_x[rows], people.T[rows], people.m[rows]
    alive = bgnbd.p_alive(BG, x, t_x, T)
    spend = gamma_gamma.expected_spend(GG, x, m)

    (high,) = revenue.quantiles(BG, GG, pairs(x, T), spend, alive, HORIZON, (0.9,))

    positive = high > 0
    reached = [exact_cdf(*row) for row in zip(x, t_x, T, m, high, strict=True)]
    assert np.array(reached)[positive] == pytest.approx(0.9, abs=0.005)
    assert np.all(np.array(reached)[~positive] >= 0.9 - 1e-9)


def test_quantiles_of_heavy_buyers_are_those_of_the_exact_law():
    x = np.array([38.0, 41.0, 60.0, 95.0, 150.0, 151.0, 153.0])
    T = np.array([300.0, 420.0, 500.0, 690.0, 650.0, 600.0, 640.0])
    t_x, m = T - 4.0, np.full(7, 12.0)
    alive = bgnbd.p_alive(BG, x, t_x, T)

    low, high = revenue.quantiles(
        BG, GG, pairs(x, T), gamma_gamma.expected_spend(GG, x, m), alive, HORIZON, (0.1, 0.9)
    )

    for level, found in ((0.1, low), (0.9, high)):
        reached = [exact_cdf(*row) for row in zip(x, t_x, T, m, found, strict=True)]
        assert reached == pytest.approx(np.full(7, level), abs=0.01)


def exact_cdf(x, t_x, T, m, s):
    """P(S <= s): the sum over all counts, each with its beta-prime law of the spend."""
    from scipy.special import betaln
    from scipy.stats import betaprime, nbinom

    y = np.arange(1, 2000)
    shape, z = BG.r + x, HORIZON / (BG.alpha + T + HORIZON)
    above = np.exp(betaln(BG.a, BG.b + x + np.arange(2000)) - betaln(BG.a, BG.b + x))
    above = above * nbinom(shape, 1 - z).sf(np.arange(2000))
    exactly = above[:-1] - above[1:]
    spent = betaprime(GG.p * y, GG.q + GG.p * x, scale=GG.gamma + x * m)
    alive = bgnbd.p_alive(BG, x, t_x, T)[0]
    return 1.0 - alive * float(exactly @ spent.sf(s))


def test_equal_customers_are_gathered_into_pairs_and_spread_again():
    x, T = np.array([1.0, 0.0, 1.0, 1.0]), np.array([5.0, 5.0, 5.0, 6.0])

    distinct = pairs(x, T)

    assert len(distinct.x) == 3
    assert distinct.spread(distinct.x).tolist() == x.tolist()
    assert distinct.spread(distinct.T).tolist() == T.tolist()


def test_cdnow_in_days_is_worth_what_it_is_in_weeks():
    from tests.reference import cdnow

    x, t_x, T, m = cdnow.sample()
    in_days = BgNbd(**{**cdnow.BG_FULL, "alpha": cdnow.BG_FULL["alpha"] * 7})

    found = clv.predict(
        in_days, None, GammaGamma(**cdnow.GG_FULL), x, t_x * 7, T * 7, m, 273.0, 90.0, 0.3, 0.15
    )

    assert found.expected_purchases == pytest.approx(
        bgnbd.expected_purchases(BgNbd(**cdnow.BG_FULL), x, t_x, T, 39)
    )
    assert found.clv.sum() == pytest.approx(
        0.3 * found.expected_value.sum() * 1.15 ** (-0.5 * 273 / 365), rel=0.01
    )
    assert np.all(found.value_low <= found.value_high)
