"""What models bring to a backtest: fits on a ladder, laws of counts and of spend."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import betaprime

from ltv.core import amounts, fallback, gamma_gamma, measures
from ltv.core.amounts import Amounts
from ltv.core.candidates import MODELLED, Seen
from ltv.core.models import MODELS
from tests.ltv.core.populations import GG, shop
from tests.reference import cdnow

HORIZON = 273.0
PARAMETERS = {
    "bgnbd": MODELS["bgnbd"].Params(0.2426, 30.895, 0.793, 2.426),
    "mbgnbd": MODELS["mbgnbd"].Params(0.5248, 43.28, 0.891, 1.614),
    "paretonbd": MODELS["paretonbd"].Params(0.5533, 74.05, 0.606, 81.68),
}
by_model = pytest.mark.parametrize("name", MODELS)


def seen(rows=slice(None)):
    """The CDNOW sample in days."""
    x, t_x, T, m = (column[rows] for column in cdnow.sample())
    nothing = np.zeros(len(x))
    first = np.full(len(x), 20.0)
    return Seen(x, t_x * 7, T * 7, m, first + x * m, HORIZON, nothing, nothing)


def fitted(name, rows=slice(None)):
    (candidate,) = [one for one in MODELLED if one.name == name]
    return candidate.fit(seen(rows), HORIZON)


@by_model
def test_more_than_no_purchase_is_the_opposite_of_none(name):
    model, params = MODELS[name], PARAMETERS[name]
    x, t_x, T = seen().x, seen().t_x, seen().T

    exceeds = model.exceeds(params, x, t_x, T, HORIZON, 0.0)

    assert exceeds == pytest.approx(1.0 - model.p_no_purchase(params, x, t_x, T, HORIZON), abs=1e-9)


@by_model
def test_the_chances_of_more_add_up_to_the_expected_purchases(name):
    model, params = MODELS[name], PARAMETERS[name]
    x, t_x, T = np.array([0.0, 2, 7]), np.array([0.0, 213, 206]), np.array([272.0, 272, 272])

    total = sum(model.exceeds(params, x, t_x, T, 50.0, y) for y in np.arange(60.0))

    assert total == pytest.approx(model.expected_purchases(params, x, t_x, T, 50.0), rel=1e-6)


@by_model
def test_the_quantile_is_where_the_chance_of_more_falls_short(name):
    model, params = MODELS[name], PARAMETERS[name]
    rows = slice(None, None, 20)
    histories = seen(rows).x, seen(rows).t_x, seen(rows).T

    (y,) = model.purchase_quantiles(params, *histories, HORIZON, (0.9,))

    assert np.all(model.exceeds(params, *histories, HORIZON, y) <= 0.1 + 1e-12)
    some = y > 0
    shorter = model.exceeds(params, *(array[some] for array in histories), HORIZON, y[some] - 1)
    assert np.all(shorter > 0.1)


@by_model
def test_a_model_makes_two_forecasts_of_spend_from_the_same_counts(name):
    found = fitted(name)

    assert found.step == "own"
    assert list(found.amounts) == [name, f"{name}_all_days"]
    x, _, _, m = cdnow.sample()
    gg = gamma_gamma.fit(x, m, ridge=fallback.NIGHTLY_RIDGE).params
    assert found.amounts[name].mean == pytest.approx(gamma_gamma.expected_spend(gg, x, m))


def test_amounts_of_all_days_tell_one_time_buyers_apart():
    found = seen()
    once = np.flatnonzero(found.x == 0)
    revenue = found.revenue.copy()
    revenue[once[:100]] = 80.0

    rich = Seen(**{**vars(found), "revenue": revenue})

    assert np.ptp(rich.of_repeats.mean[once]) == 0.0
    means = rich.of_all_days.mean[once]
    assert means[:100].min() > 2 * means[100:].max()


@by_model
def test_where_an_actual_falls_in_its_distribution(name):
    found = fitted(name, slice(50))
    y = np.arange(50.0) % 4

    below, upto = found.placed(y)

    model, histories = MODELS[name], (found.seen.x, found.seen.t_x, found.seen.T)
    assert upto == pytest.approx(1.0 - model.exceeds(found.params, *histories, HORIZON, y), abs=1e-9)
    assert below[y == 0].tolist() == [0.0] * 13
    chances = upto - below
    assert np.all(chances > 0)


@by_model
def test_fitted_to_few_a_model_stands_where_the_night_would(name):
    few, found = seen(slice(100)), fitted(name, slice(100))

    assert found.step == "pooled"
    assert found.params == fallback.climb(MODELS[name], few.x, few.t_x, few.T).params
    assert found.amounts[name].params == fallback.climb_spending(few.x, few.m).params
    assert np.isfinite(found.expected(HORIZON)).all()


def test_fitted_to_fewer_a_model_stays_away():
    assert fitted("bgnbd", slice(5)) is None


def test_without_enough_spenders_the_amount_is_the_shrunken_mean():
    x, m = np.array([0.0, 1.0, 3.0]), np.array([0.0, 10.0, 30.0])

    found = amounts.learn(x, m)

    assert found.params is None
    assert found.mean.tolist() == gamma_gamma.shrunken_spend(x, m).tolist()
    with pytest.raises(ValueError, match="no law"):
        found.law(lambda rows, y: np.zeros(len(rows)), np.ones(3))


def test_a_plain_mean_places_no_spend():
    found = fitted("mbgnbd", slice(100))
    plain = replace(found, amounts={"mbgnbd": amounts.plain(found.amounts["mbgnbd"].mean)})

    assert plain.placed_spend("mbgnbd", np.arange(3), np.ones(3)) is None


def test_the_law_of_spend_is_the_sum_over_all_counts():
    made = Amounts(np.full(2, 20.0), np.array([0.0, 3.0]), np.array([0.0, 90.0]), GG)
    chances = np.array([0.5, 0.2, 0.2, 0.1])  # of 0, 1, 2, 3 purchase days
    spend = np.array([35.0, 80.0])

    found = made.law(lambda rows, y: np.full(len(rows), chances[int(y) + 1 :].sum()), spend)

    for customer, days in enumerate(made.days):
        scale = GG.gamma + made.spent[customer]
        laws = [betaprime(GG.p * y, GG.q + GG.p * days, scale=scale).cdf(spend[customer]) for y in (1, 2, 3)]
        assert found[customer] == pytest.approx(0.5 + chances[1:] @ laws, abs=1e-9)


def test_customers_with_an_odd_mean_count_as_not_seen_to_spend():
    x, m = cdnow.sample()[0], cdnow.sample()[3].copy()
    m[np.flatnonzero(x > 0)[:2]] = [0.0, -5.0]

    found = amounts.learn(x, m)

    assert found.params is not None
    assert found.days[np.flatnonzero(x > 0)[:2]].tolist() == [0.0, 0.0]
    assert found.spent[np.flatnonzero(x > 0)[:2]].tolist() == [0.0, 0.0]


def test_simulated_spend_falls_evenly_into_its_law():
    people = shop(customers=6_000, seed=21)
    nothing = np.zeros(6_000)
    seen = Seen(people.x, people.t_x, people.T, people.m, people.x * people.m, 365.0, nothing, nothing)
    (candidate,) = [one for one in MODELLED if one.name == "bgnbd"]

    placed = candidate.fit(seen, 365.0).placed_spend("bgnbd", np.arange(6_000), people.revenue)

    found = measures.pit(*placed)
    assert found.ks < 0.025
    assert sum(found.bars[1:-1]) == pytest.approx(0.8, abs=0.02)
