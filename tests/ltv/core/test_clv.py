from dataclasses import astuple, fields

import numpy as np
import pytest

from ltv.core import bgnbd, clv, gamma_gamma, mbgnbd, models, outlook, revenue, uncertainty
from ltv.core.arrays import pairs
from ltv.core.bgnbd import BgNbd
from ltv.core.gamma_gamma import GammaGamma
from ltv.core.paretonbd import ParetoNbd
from tests.ltv.core.populations import BG, GG, HORIZON, MBG, shop

PARETO = ParetoNbd(0.8, 40.0, 0.6, 200.0)


@pytest.fixture(scope="module")
def people():
    return shop(customers=1_000, seed=5)


def predict(people, mbg=None, gg=GG, horizon=HORIZON, margin=0.3, discount=0.1, **more):
    histories = people.x, people.t_x, people.T, people.m
    return clv.predict(BG, mbg, gg, *histories, horizon, 90.0, margin, discount, **more)


def test_every_column_has_one_number_per_customer(people):
    found = predict(people, MBG)

    for field in fields(found):
        column = getattr(found, field.name)
        assert column.shape == (1_000,)
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
    margins = np.linspace(0.1, 0.5, 1_000)

    assert predict(people, margin=margins).clv == pytest.approx(predict(people, margin=1.0).clv * margins)


@pytest.mark.parametrize("gg", [None, GammaGamma(3.0, 0.9, 30.0)], ids=["none", "no mean"])
def test_without_a_usable_model_of_spending_the_shrunken_mean_is_used(people, gg):
    found = predict(people, gg=gg)

    spend = gamma_gamma.shrunken_spend(people.x, people.m)
    assert found.expected_spend_per_purchase == pytest.approx(spend)
    assert found.value_high == pytest.approx(found.purchases_high * spend)


def test_the_order_of_customers_does_not_matter(people):
    order = np.random.default_rng(1).permutation(1_000)
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


@pytest.mark.parametrize(
    "gg", [GG, GammaGamma(1.0, 3.0, 30.0), GammaGamma(30.0, 5.0, 30.0)], ids=["3", "1", "30"]
)
@pytest.mark.parametrize("params", [BG, MBG, PARETO], ids=["bg", "mbg", "pareto"])
@pytest.mark.parametrize("level", [0.1, 0.9])
def test_quantiles_of_revenue_are_those_of_the_exact_law(params, gg, level):
    heavy = np.array([38.0, 41.0, 60.0, 95.0, 150.0, 151.0, 153.0])
    people = shop(customers=60, seed=5)
    x, T = np.append(people.x, heavy), np.append(people.T, heavy * 3 + 250)
    t_x, m = np.append(people.t_x, T[-7:] - 4.0), np.append(people.m, np.full(7, 12.0))
    alive, spend = models.of(params).p_alive(params, x, t_x, T), gamma_gamma.expected_spend(gg, x, m)

    (found,) = revenue.quantiles(params, gg, pairs(x, T), spend, alive, HORIZON, (level,))

    reached = uncertainty.spend_cdf(params, gg, x, t_x, T, m, HORIZON, found)
    positive = found > 0
    assert positive.sum() >= 5
    assert reached[positive] == pytest.approx(np.full(positive.sum(), level), abs=0.007)
    assert np.all(reached[~positive] >= level - 1e-6)


def test_every_customer_may_have_an_own_level(people):
    known = (BG, GG, pairs(people.x, people.T), np.full(1_000, 20.0), np.full(1_000, 0.9), HORIZON)

    both = revenue.quantiles(*known, (0.6, 0.9))
    (mixed,) = revenue.quantiles(*known, (np.where(np.arange(1_000) % 2, 0.6, 0.9),))

    assert mixed == pytest.approx(np.where(np.arange(1_000) % 2, *both), rel=2e-3, abs=0.05)


def ranges(params, x, T, horizon):
    known = pairs(x, T), np.full(len(x), 20.0), np.full(len(x), 0.9), horizon
    return np.vstack(revenue.quantiles(params, GG, *known, (0.1, 0.9)))


def forget_tables():
    revenue._drawn_up.cache_clear()


@pytest.mark.parametrize("params", [BG, MBG, PARETO], ids=["bg", "mbg", "pareto"])
def test_the_range_of_a_customer_does_not_depend_on_who_else_is_asked_for(people, params):
    heavy = np.array([41.0, 42.0, 80.0, 81.0, 150.0])
    x, T = np.append(people.x[:200], heavy), np.append(people.T[:200], heavy + 3.0)
    forget_tables()
    among_all = ranges(params, x, T, HORIZON)
    order = np.random.default_rng(1).permutation(len(x))

    for some in np.split(order, [1, 2, 40]):
        forget_tables()
        assert np.array_equal(ranges(params, x[some], T[some], HORIZON), among_all[:, some])


@pytest.mark.parametrize("params", [BG, PARETO], ids=["bg", "pareto"])
def test_horizons_give_the_same_in_any_order_or_alone(people, params):
    x, T = people.x[:60], people.T[:60]
    alone = {}
    for horizon in (30.0, 365.0, 1_095.0):
        forget_tables()
        alone[horizon] = ranges(params, x, T, horizon)

    for order in ((30.0, 365.0, 1_095.0), (1_095.0, 30.0, 365.0)):
        forget_tables()
        for horizon in order:
            assert np.array_equal(ranges(params, x, T, horizon), alone[horizon])


@pytest.mark.parametrize("params", [BG, MBG, PARETO], ids=["bg", "mbg", "pareto"])
@pytest.mark.parametrize("x", [0.0, 3.0, 250.0])
def test_tails_of_counts_are_those_of_the_law_one_by_one(params, x):
    ahead = outlook.of(params, np.array([[x]]), np.array([[0.0], [90.0], [900.0]]))

    found = ahead.tails(HORIZON, revenue.EDGES[:70])

    assert found == pytest.approx(ahead.exceeds(HORIZON, revenue.EDGES[:70]), abs=2e-4)


@pytest.mark.parametrize("x", [0.0, 45.0])
def test_a_customer_won_today_has_the_range_of_the_exact_law_under_pareto(x):
    """T = 0 is the last of the nodes: nobody is observed for less than no time."""
    (found,) = revenue.quantiles(
        PARETO, GG, pairs(*np.array([[x], [0.0]])), np.ones(1), np.ones(1), HORIZON, (0.9,)
    )

    w = found * GG.p / (GG.p * x + GG.q - 1.0)
    more = revenue.exceeds(outlook.of(PARETO, np.array([x]), np.zeros(1)), GG, np.array([x]), w, HORIZON)
    assert 1.0 - more == pytest.approx([0.9], abs=0.007)


def test_nobody_who_surely_left_spends_anything():
    found = revenue.quantiles(
        BG, GG, pairs(np.ones(2), np.ones(2)), np.full(2, 20.0), np.zeros(2), HORIZON, (0.1, 0.9)
    )

    assert [column.tolist() for column in found] == [[0.0, 0.0], [0.0, 0.0]]


@pytest.mark.parametrize("params", [BG, MBG, PARETO], ids=["bg", "mbg", "pareto"])
def test_ranges_of_counts_are_the_quantiles_of_the_model_for_rare_and_heavy_buyers(params):
    people, heavy = shop(customers=500, seed=5), np.array([60.0, 150.0, 400.0])
    x, T = np.append(people.x, heavy), np.append(people.T, heavy + 200)
    t_x = np.append(people.t_x, T[-3:] - 1.0)

    found = clv.predict(params, None, None, x, t_x, T, np.zeros(503), HORIZON, 90.0, 0.3, 0.1)

    counts = models.of(params).purchase_quantiles(params, x, t_x, T, HORIZON, (0.1, 0.9))
    assert found.purchases_low.tolist() == counts[0].tolist()
    assert found.purchases_high.tolist() == counts[1].tolist()


@pytest.mark.parametrize("coverage", [0.5, 0.9])
def test_the_interval_has_the_coverage_asked_for(people, coverage):
    found = predict(people, coverage=coverage)

    levels = ((1 - coverage) / 2, (1 + coverage) / 2)
    counts = bgnbd.purchase_quantiles(BG, people.x, people.t_x, people.T, HORIZON, levels)
    assert found.purchases_low.tolist() == counts[0].tolist()
    assert found.purchases_high.tolist() == counts[1].tolist()
    inside = (people.revenue <= found.value_high) & (people.revenue >= found.value_low)
    assert inside.mean() > coverage - 0.04


def test_points_without_a_mean_of_spending_leave_the_counts(people):
    heavy = GammaGamma(3.0, 0.9, 30.0)

    found = predict(people, gg=heavy, points=uncertainty.best(BG, heavy))

    assert found.value_high == pytest.approx(predict(people, gg=None).value_high)


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
