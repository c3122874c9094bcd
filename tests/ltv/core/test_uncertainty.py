"""What is said of the uncertain: exact laws, what the parameters leave open, totals."""

from dataclasses import astuple, dataclass, replace

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import betainc
from scipy.stats import nbinom

from ltv.core import bgnbd, clv, gamma_gamma, models, outlook, paretonbd, simulate, uncertainty
from ltv.core.gamma_gamma import GammaGamma
from ltv.core.paretonbd import ParetoNbd
from tests.ltv.core.populations import BG, GG, HORIZON, MBG, shop

PARETO = ParetoNbd(r=0.8, alpha=40.0, s=0.6, beta=200.0)
ALL = pytest.mark.parametrize("params", [BG, MBG, PARETO], ids=["bg", "mbg", "pareto"])
COVARIANCE = ((0.04, 0.01), (0.01, 0.09))
HISTORIES = (
    np.array([0.0, 1.0, 4.0, 30.0]),
    np.array([0.0, 20.0, 180.0, 400.0]),
    np.array([90.0, 200, 200, 410]),
)
AMOUNTS = np.array([0.0, 25.0, 60.0, 12.0])


@dataclass(frozen=True)
class Two:
    """Parameters of nothing in particular."""

    first: float
    second: float


@pytest.fixture(scope="module")
def small():
    """A shop of 150 customers, with the fits that are made of it."""
    people = whole_days(simulate.population(np.random.default_rng(4), BG, GG, spread(150), HORIZON))
    histories = people.x, people.t_x, people.T
    return people, bgnbd.fit(*histories, ridge=0.05), gamma_gamma.fit(people.x, people.m, ridge=0.05)


def spread(customers):
    return np.floor(np.linspace(1, 700, customers))


def whole_days(people):
    return replace(people, t_x=np.where(people.x > 0, np.maximum(np.ceil(people.t_x), 1.0), 0.0))


def everything_likely(fit, spending):
    return uncertainty.likely(fit.params, fit.covariance, spending.params, spending.covariance)


@ALL
def test_the_law_of_counts_adds_up_to_what_is_expected(params):
    x, t_x, T = (np.repeat(column, 600) for column in HISTORIES)
    y = np.tile(np.arange(600.0), 4)

    more = 1.0 - uncertainty.purchases_cdf(params, x, t_x, T, HORIZON, y).reshape(4, 600)

    expected = models.of(params).expected_purchases(params, *HISTORIES, HORIZON)
    silent = models.of(params).p_no_purchase(params, *HISTORIES, HORIZON)
    assert more.sum(axis=1) == pytest.approx(expected, rel=1e-6)
    assert 1.0 - more[:, 0] == pytest.approx(silent, rel=1e-9)


def test_nobody_makes_less_than_no_purchase_or_spends_less_than_nothing():
    assert uncertainty.purchases_cdf(BG, *HISTORIES, HORIZON, -1.0).tolist() == [0.0] * 4
    assert uncertainty.spend_cdf(BG, GG, *HISTORIES, AMOUNTS, HORIZON, -0.01).tolist() == [0.0] * 4


@ALL
def test_who_spends_nothing_buys_nothing(params):
    silent = models.of(params).p_no_purchase(params, *HISTORIES, HORIZON)

    assert uncertainty.spend_cdf(params, GG, *HISTORIES, AMOUNTS, HORIZON, 0.0) == pytest.approx(silent)


def test_the_law_of_spend_is_the_sum_over_all_counts():
    spent = np.array([40.0, 90.0, 300.0, 350.0])

    found = uncertainty.spend_cdf(BG, GG, *HISTORIES, AMOUNTS, HORIZON, spent)

    rows = zip(*HISTORIES, AMOUNTS, spent, strict=True)
    assert found == pytest.approx([spend_cdf_by_definition(*row) for row in rows], abs=1e-7)


def spend_cdf_by_definition(x, t_x, T, m, s):
    """Sum over y of P(Y = y) I(s/(s + gamma + x m); p y, p x + q), with the chance to stay spelt out."""
    y = np.arange(1.0, 1500.0)
    wants = nbinom(BG.r + x, 1 - HORIZON / (BG.alpha + T + HORIZON)).sf(np.arange(1500.0))
    stays = np.cumprod(np.append(1.0, (BG.b + x + y - 1) / (BG.a + BG.b + x + y - 1)))
    exactly = -np.diff(wants * stays)
    alive = bgnbd.p_alive(BG, x, t_x, T)[0]
    upto = betainc(GG.p * y, GG.p * x + GG.q, s / (s + GG.gamma + x * m))
    return 1.0 - alive * float(exactly @ (1.0 - upto))


@ALL
def test_simulated_customers_spend_as_the_law_says(params):
    people = simulate.population(np.random.default_rng(8), params, GG, np.full(3_000, 120.0), HORIZON)
    rng = np.random.default_rng(9)

    level = uncertainty.spend_cdf(params, GG, *history(people), people.m, HORIZON, people.revenue)
    level = np.where(people.revenue > 0, level, rng.random(3_000) * level)

    assert np.histogram(level, 10, (0, 1))[0] / 3_000 == pytest.approx(np.full(10, 0.1), abs=0.02)


def history(people):
    return people.x, people.t_x, people.T


@ALL
def test_the_law_of_counts_in_blocks_is_the_law_of_counts(params):
    # a daily buyer of three years: some thousand purchases are possible
    ahead = outlook.of(params, np.array([1_000.0, 2.0]), np.array([1_000.0, 50.0]))

    first, second, rows = np.zeros(2), np.zeros(2), np.arange(2)
    for y, going, chance in ahead.counts(1_500.0):
        rows = rows[going]
        first[rows] += y * chance
        second[rows] += y * y * chance

    assert y > 1_000
    assert first == pytest.approx(ahead.expected(1_500.0), rel=1e-5)
    assert [first, second] == [pytest.approx(moment, rel=1e-5) for moment in ahead.moments(1_500.0)]


def test_a_mean_that_says_nothing_counts_as_that_of_the_population():
    known = uncertainty.spend_cdf(BG, GG, [4], [180], [200], [GG.mean], HORIZON, 100.0)

    assert uncertainty.spend_cdf(BG, GG, [4], [180], [200], [-3.0], HORIZON, 100.0) == pytest.approx(known)


def test_the_weights_of_likely_parameters_add_up_to_one():
    points = uncertainty.likely(BG, np.eye(4) * 0.01, GG, np.eye(3) * 0.02)

    assert len(points) == 1 + 2 * (4 + 3)
    assert sum(point.weight for point in points) == pytest.approx(1.0)
    assert (points[0].buying, points[0].spending) == (BG, GG)


def test_parameters_without_a_covariance_are_taken_for_certain():
    points = uncertainty.likely(BG, (), GG, ())

    assert points == uncertainty.best(BG, GG)
    assert uncertainty.draws(BG, (), np.random.default_rng(1), 3) == [BG, BG, BG]


def test_likely_parameters_have_the_mean_and_covariance_they_stand_for():
    points = [np.log(astuple(moved)) for moved in uncertainty.axes(Two(3.0, 5.0), COVARIANCE)]

    away = np.array(points) - np.log([3.0, 5.0])

    assert away.sum(axis=0) == pytest.approx([0.0, 0.0], abs=1e-12)
    assert away.T @ away / 6 == pytest.approx(np.asarray(COVARIANCE))


def test_expectations_over_likely_parameters_agree_with_the_integral():
    # E[1/(1 + r)] for ln r normal about ln 3 with deviation .3, others certain
    covariance = np.diag([0.09, 0.0])
    weight = 1.0 - 4 / 6

    points = uncertainty.axes(Two(3.0, 5.0), covariance)
    found = weight / 4.0 + sum(1 / (1 + point.first) / 6 for point in points)

    exact, _ = quad(lambda z: np.exp(-z * z / 2) / (1 + 3 * np.exp(0.3 * z)) / np.sqrt(2 * np.pi), -9, 9)
    assert found == pytest.approx(exact, rel=1e-4)


def test_draws_have_the_covariance_they_stand_for_and_centre_exactly():
    found = uncertainty.draws(Two(3.0, 5.0), COVARIANCE, np.random.default_rng(2), 4_000)

    logs = np.log([astuple(drawn) for drawn in found])
    assert len(found) == 4_000
    assert logs.mean(axis=0) == pytest.approx(np.log([3.0, 5.0]), abs=1e-12)
    assert np.cov(logs.T) == pytest.approx(np.asarray(COVARIANCE), abs=0.006)


def test_an_odd_number_of_draws_is_that_many():
    assert len(uncertainty.draws(BG, np.eye(4), np.random.default_rng(2), 3)) == 3


def test_spending_without_a_mean_is_never_likely():
    heavy = GammaGamma(3.0, 1.2, 30.0)

    points = uncertainty.likely(BG, (), heavy, np.eye(3))

    assert min(point.spending.q for point in points) == pytest.approx(1.1)


def test_no_parameter_is_moved_out_of_reach():
    far = uncertainty.moved(BG, np.array([50.0, -50.0, 0.0, 0.0]))

    assert astuple(far) == pytest.approx((BG.r * 20, BG.alpha / 20, BG.a, BG.b))


def test_ranges_of_counts_reach_their_level_over_all_likely_parameters(small):
    people, fit, spending = small
    points = everything_likely(fit, spending)

    def law(y):
        return uncertainty.average(
            points, lambda p: uncertainty.purchases_cdf(p.buying, *history(people), HORIZON, y)
        )

    for q, y in zip(
        (0.1, 0.9), uncertainty.purchase_quantiles(points, *history(people), HORIZON, (0.1, 0.9)), strict=True
    ):
        assert np.all(law(y) >= q)
        assert np.all((y == 0) | (law(y - 1.0) < q))


def test_ranges_of_counts_at_certain_parameters_are_those_of_the_model(small):
    people = small[0]

    found = uncertainty.purchase_quantiles(uncertainty.best(BG), *history(people), HORIZON, (0.2, 0.8))

    assert found.tolist() == bgnbd.purchase_quantiles(BG, *history(people), HORIZON, (0.2, 0.8)).tolist()


def test_ranges_of_spend_reach_their_level_over_all_likely_parameters(small):
    people, fit, spending = small
    points = everything_likely(fit, spending)
    people = replace(people, **{name: getattr(people, name)[::4] for name in ("x", "t_x", "T", "m")})

    high = uncertainty.spend_quantiles(points, *history(people), people.m, HORIZON, (0.9,))[0]

    positive = high > 0
    reached = uncertainty.average(
        points,
        lambda p: uncertainty.spend_cdf(p.buying, p.spending, *history(people), people.m, HORIZON, high),
    )
    assert reached[positive] == pytest.approx(np.full(positive.sum(), 0.9), abs=0.01)
    assert np.all(reached[~positive] >= 0.9 - 1e-6)


def test_a_small_shop_has_wider_ranges_than_its_best_parameters_say(small):
    people, fit, spending = small
    best = uncertainty.best(fit.params, spending.params)
    levels = (0.05, 0.95)

    narrow = uncertainty.spend_quantiles(best, *history(people), people.m, HORIZON, levels)
    wide = uncertainty.spend_quantiles(
        everything_likely(fit, spending), *history(people), people.m, HORIZON, levels
    )

    assert (wide[1] - wide[0]).sum() > 1.002 * (narrow[1] - narrow[0]).sum()


def test_predictions_take_the_ranges_over_all_likely_parameters(small):
    people, fit, spending = small
    points = everything_likely(fit, spending)
    policy = HORIZON, 90.0, 0.3, 0.1

    found = clv.predict(fit.params, None, spending.params, *history(people), people.m, *policy, 0.9, points)

    levels = (0.05, 0.95)
    counts = uncertainty.purchase_quantiles(points, *history(people), HORIZON, levels)
    values = uncertainty.spend_quantiles(points, *history(people), people.m, HORIZON, levels)
    assert found.purchases_high.tolist() == counts[1].tolist()
    assert found.value_low == pytest.approx(values[0])
    assert found.value_high == pytest.approx(values[1])


def test_the_lower_bound_is_reached_with_the_confidence_asked_for():
    people = shop(customers=400, seed=5)

    bound = uncertainty.lower_bound(uncertainty.best(BG, GG), *history(people), people.m, HORIZON, 0.4)

    above = bound > 0
    missed = uncertainty.spend_cdf(BG, GG, *history(people), people.m, HORIZON, bound)
    assert above.sum() > 100
    assert missed[above] == pytest.approx(np.full(above.sum(), 0.6), abs=0.005)
    assert np.all(missed[~above] >= 0.6 - 1e-6)


@ALL
def test_totals_have_the_mean_and_the_chance_that_simulations_have(params):
    steady = GammaGamma(p=3.0, q=9.0, gamma=80.0)  # amounts with a fourth moment
    T = np.repeat([60.0, 300.0, 600.0], 10_000)
    people = simulate.population(np.random.default_rng(3), params, steady, T, HORIZON)
    points = uncertainty.best(params, steady)

    bought = uncertainty.total_purchases(points, *history(people), HORIZON)
    spent = uncertainty.total_spend(points, *history(people), people.m, HORIZON, worth=0.3)

    expected = models.of(params).expected_purchases(params, *history(people), HORIZON)
    amounts = 0.3 * expected * gamma_gamma.expected_spend(steady, people.x, people.m)
    assert (bought.parameters, bought.deviation) == (0.0, bought.chance)
    assert bought.expected == pytest.approx(expected.sum())
    assert spent.expected == pytest.approx(amounts.sum())
    assert people.purchases.sum() == pytest.approx(bought.expected, abs=3 * bought.chance)
    missed = np.sum((people.purchases - expected) ** 2), np.sum((0.3 * people.revenue - amounts) ** 2)
    assert np.sqrt(missed) == pytest.approx([bought.chance, spent.chance], rel=0.05)


def test_the_range_of_a_total_holds_what_small_shops_earn():
    # 40 shops of 200 customers, each with its own fit
    rng, inside, narrow = np.random.default_rng(6), [], []
    for _ in range(40):
        T = np.repeat(np.linspace(200, 700, 10), 20)
        people = simulate.population(rng, BG, GG, T, 180.0)
        fit = bgnbd.fit(*history(people), ridge=0.05)
        spending = gamma_gamma.fit(people.x, people.m, ridge=0.05)

        total = uncertainty.total_spend(everything_likely(fit, spending), *history(people), people.m, 180.0)

        inside.append(holds(total, people.revenue.sum()))
        narrow.append(holds(replace(total, parameters=0.0), people.revenue.sum()))
    assert np.mean(inside) == pytest.approx(0.8, abs=0.12)
    assert np.mean(narrow) < np.mean(inside)


def holds(total, value):
    low, high = total.range(0.8)
    return low <= value <= high


def test_a_large_shop_is_judged_by_a_part_of_its_customers(monkeypatch):
    people = shop(customers=4_000, seed=5)
    points = uncertainty.likely(BG, np.eye(4) * 1e-4, GG, np.eye(3) * 1e-4)
    whole = uncertainty.total_spend(points, *history(people), people.m, HORIZON)
    monkeypatch.setattr(uncertainty, "SAMPLE", 1_000)

    part = uncertainty.total_spend(points, *history(people), people.m, HORIZON)

    assert part.expected == whole.expected
    assert part.chance == pytest.approx(whole.chance, rel=0.15)
    assert part.parameters == pytest.approx(whole.parameters, rel=0.05)


def test_a_total_is_never_negative_and_its_range_widens_with_coverage():
    total = uncertainty.Total(expected=100.0, chance=80.0, parameters=60.0)

    assert total.deviation == pytest.approx(100.0)
    assert 0 < total.quantile(0.001) < total.range(0.9)[0] < total.range(0.8)[0]
    assert total.range(0.8)[1] < total.range(0.9)[1]


def test_many_customers_have_a_normal_total():
    total = uncertainty.Total(expected=1e6, chance=1e3, parameters=0.0)

    assert total.range(0.9) == pytest.approx((1e6 - 1644.9, 1e6 + 1644.9), abs=2.0)


def test_nobody_totals_nothing():
    nobody = [], [], []

    total = uncertainty.total_spend(uncertainty.best(BG, GG), *nobody, [], HORIZON)

    assert astuple(total) == (0.0, 0.0, 0.0)
    assert total.range() == (0.0, 0.0)


def test_amounts_without_a_variance_have_a_finite_total():
    total = uncertainty.total_spend(
        uncertainty.best(BG, GammaGamma(3.0, 1.5, 30.0)), *HISTORIES, AMOUNTS, HORIZON
    )

    assert np.isfinite(astuple(total)).all()


def test_spend_without_parameters_of_spending_is_refused():
    with pytest.raises(ValueError, match="gamma-gamma"):
        uncertainty.total_spend(uncertainty.best(BG), *HISTORIES, AMOUNTS, HORIZON)


def test_pareto_and_the_beta_geometric_models_answer_alike():
    people = shop(customers=500, seed=5)

    found = clv.predict(PARETO, None, GG, *history(people), people.m, HORIZON, 90.0, 0.3, 0.1)

    assert found.p_alive == pytest.approx(paretonbd.p_alive(PARETO, *history(people)))
    assert found.p_no_purchase == pytest.approx(paretonbd.p_no_purchase(PARETO, *history(people), 90.0))
    expected = paretonbd.expected_purchases(PARETO, *history(people), HORIZON)
    assert found.expected_purchases == pytest.approx(expected)
    delta = np.log(1.1) / 365
    worth = paretonbd.residual_value(PARETO, *history(people), delta, HORIZON)
    assert found.clv == pytest.approx(0.3 * worth * found.expected_spend_per_purchase, rel=1e-4)
    counts = paretonbd.purchase_quantiles(PARETO, *history(people), HORIZON, (0.1, 0.9))
    assert found.purchases_high.tolist() == counts[1].tolist()
    reached = uncertainty.spend_cdf(PARETO, GG, *history(people), people.m, HORIZON, found.value_high)
    positive = found.value_high > 0
    assert reached[positive] == pytest.approx(np.full(positive.sum(), 0.9), abs=0.006)
