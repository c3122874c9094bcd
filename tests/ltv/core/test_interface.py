"""What every transaction model promises, asked of all of them alike."""

from dataclasses import FrozenInstanceError, asdict, astuple
from functools import cache

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ltv.core import models
from ltv.core.bgnbd import BgNbd
from ltv.core.gamma_gamma import GammaGamma
from ltv.core.mbgnbd import MbgNbd
from ltv.core.models import MODELS
from ltv.core.paretonbd import ParetoNbd
from tests.ltv.core.populations import PARAMETERS, shop

every_model = pytest.mark.parametrize("name", MODELS)
ANY = settings(max_examples=40, deadline=None)

HISTORIES = np.array([
    (0, 0, 0), (0, 0, 1), (0, 0, 650), (1, 2, 300), (1, 300, 300), (9, 100, 110), (80, 500, 690), (900, 699, 700),
], dtype=float).T  # fmt: skip


def of(name):
    return MODELS[name], PARAMETERS[name]


@st.composite
def parameters(draw):
    r, alpha = draw(st.floats(0.02, 20)), draw(st.floats(0.1, 500))
    kind = draw(st.sampled_from([BgNbd, MbgNbd, ParetoNbd]))
    if kind is ParetoNbd:
        return ParetoNbd(r, alpha, draw(st.floats(0.02, 20)), draw(st.floats(0.1, 5000)))
    return kind(r, alpha, draw(st.floats(0.02, 20)), draw(st.floats(0.02, 50)))


@st.composite
def histories(draw):
    x = draw(st.integers(0, 300))
    T = draw(st.floats(0.5, 3000))
    return float(x), draw(st.floats(0.01, 1.0)) * T if x else 0.0, T


# Parameters are plain numbers under a name.


@every_model
def test_parameters_are_stored_as_they_are(name):
    model, params = of(name)

    assert model.Params(**asdict(params)) == params
    assert all(type(value) is float for value in asdict(params).values())
    with pytest.raises(FrozenInstanceError):
        params.r = 1.0


@every_model
def test_parameters_know_their_model(name):
    model, params = of(name)

    assert models.of(params) is model


def test_other_parameters_have_no_model():
    with pytest.raises(TypeError, match="GammaGamma are the parameters of no transaction model"):
        models.of(GammaGamma(6.0, 4.0, 15.0))


# Fits find what is true.


@cache
def large_fit(name):
    """Of so many customers that a sample is fitted first."""
    model, params = of(name)
    people = shop(params)
    return model.fit(people.x, people.t_x, people.T)


@every_model
def test_a_fit_finds_the_parameters_a_shop_was_simulated_with(name):
    fit, params = large_fit(name), PARAMETERS[name]

    off = (np.array(astuple(fit.params)) - astuple(params)) / fit.standard_errors
    assert fit.ok
    assert np.abs(off).max() < 3.5
    assert astuple(fit.params) == pytest.approx(astuple(params), rel=0.15)
    assert all(type(value) is float for value in astuple(fit.params))


@every_model
def test_no_parameters_nearby_are_more_likely_than_the_fit(name):
    model, params = of(name)
    people = shop(params, customers=3_000)
    histories = people.x, people.t_x, people.T
    fit = model.fit(*histories)

    for at in range(4):
        for factor in (0.999, 1.001):
            values = list(astuple(fit.params))
            values[at] *= factor
            assert model.log_likelihood(model.Params(*values), *histories) < fit.log_likelihood


@every_model
def test_where_a_fit_starts_does_not_change_where_it_ends(name):
    model, params = of(name)
    people, cold = shop(params), large_fit(name)

    warm = model.fit(people.x, people.t_x, people.T, start=params)

    assert astuple(warm.params) == pytest.approx(astuple(cold.params), rel=1e-6)
    assert warm.log_likelihood == pytest.approx(cold.log_likelihood, rel=1e-12)


@every_model
def test_the_order_of_customers_does_not_matter(name):
    model, params = of(name)
    people = shop(params, customers=2_000)
    order = np.random.default_rng(1).permutation(2_000)

    shuffled = model.fit(people.x[order], people.t_x[order], people.T[order])

    plain = model.fit(people.x, people.t_x, people.T)
    assert astuple(shuffled.params) == pytest.approx(astuple(plain.params), rel=1e-8)


@every_model
def test_weights_count_equal_customers(name):
    model, params = of(name)
    people = shop(params, customers=2_000)
    histories = np.round(people.x), np.ceil(people.t_x), np.ceil(people.T)
    rows, counts = np.unique(np.column_stack(histories), axis=0, return_counts=True)

    compressed = model.fit(*rows.T, weights=counts)

    plain = model.fit(*histories)
    assert (compressed.customers, compressed.repeaters) == (plain.customers, plain.repeaters)
    assert astuple(compressed.params) == pytest.approx(astuple(plain.params), rel=1e-6)
    assert model.log_likelihood(params, *rows.T, weights=counts) == pytest.approx(
        model.log_likelihood(params, *histories), rel=1e-12
    )


@every_model
def test_the_unit_of_time_changes_the_times_only(name):
    model, params = of(name)
    people = shop(params, customers=2_000)
    days = model.fit(people.x, people.t_x, people.T)

    seconds = model.fit(people.x, people.t_x * 86_400, people.T * 86_400)

    for key, value in asdict(days.params).items():
        unit = 86_400 if key in params.times else 1
        assert getattr(seconds.params, key) == pytest.approx(value * unit, rel=1e-6)
    shift = people.x.sum() * np.log(86_400)
    assert seconds.log_likelihood == pytest.approx(days.log_likelihood - shift, rel=1e-12)


@every_model
def test_a_ridge_holds_what_little_data_do_not_say(name):
    model, params = of(name)
    people = shop(params, customers=30)
    histories = people.x, people.t_x, people.T

    held = model.fit(*histories, ridge=1e6, prior=params)

    assert astuple(held.params) == pytest.approx(astuple(params), rel=1e-3)
    assert held.log_likelihood == pytest.approx(model.log_likelihood(held.params, *histories), rel=1e-12)


@every_model
def test_of_nothing_seen_the_prior_is_answered_and_flagged(name):
    model, params = of(name)

    fit = model.fit([0.0, 0.0], [0.0, 0.0], [0.0, 0.0], prior=params)

    assert (fit.params, fit.flags, fit.ok) == (params, ("nothing_observed",), False)


@every_model
def test_the_likelihood_of_all_is_that_of_each(name):
    model, params = of(name)
    weights = np.arange(8.0)

    each = model.log_likelihood_each(params, *HISTORIES)

    assert model.log_likelihood(params, *HISTORIES) == pytest.approx(each.sum(), rel=1e-13)
    assert model.log_likelihood(params, *HISTORIES, weights=weights) == pytest.approx(
        weights @ each, rel=1e-13
    )


# Arrays go in, arrays of the same shape come out.


@every_model
@pytest.mark.parametrize("customers", [0, 1, 8])
def test_there_is_one_answer_for_each_customer(name, customers):
    model, params = of(name)
    some = HISTORIES[:, :customers]

    assert model.p_alive(params, *some).shape == (customers,)
    assert model.expected_purchases(params, *some, 90.0).shape == (customers,)
    assert model.p_no_purchase(params, *some, 90.0).shape == (customers,)
    assert model.residual_value(params, *some, 0.001).shape == (customers,)
    assert model.exceeds(params, *some, 90.0, 2.0).shape == (customers,)
    assert model.log_likelihood_each(params, *some).shape == (customers,)
    assert model.purchase_quantiles(params, *some, 90.0, (0.1, 0.5, 0.9)).shape == (3, customers)


@every_model
def test_no_customer_is_told_by_the_company_they_come_in(name):
    model, params = of(name)
    together = model.expected_purchases(params, *HISTORIES, 365.0)
    discounted = model.residual_value(params, *HISTORIES, 0.001)
    silent = model.p_no_purchase(params, *HISTORIES, 365.0)
    counts = model.purchase_quantiles(params, *HISTORIES, 365.0, (0.1, 0.9))

    for at in range(8):
        alone = HISTORIES[:, [at]]
        assert model.expected_purchases(params, *alone, 365.0)[0] == pytest.approx(together[at], rel=1e-11)
        assert model.residual_value(params, *alone, 0.001)[0] == pytest.approx(discounted[at], rel=1e-11)
        assert model.p_no_purchase(params, *alone, 365.0)[0] == pytest.approx(silent[at], rel=1e-12)
        assert np.all(model.purchase_quantiles(params, *alone, 365.0, (0.1, 0.9))[:, 0] == counts[:, at])


# The figures of one customer agree with each other.


@ANY
@given(parameters(), histories(), st.floats(0.0, 2000.0))
def test_probabilities_lie_between_nothing_and_certainty(params, history, horizon):
    model = models.of(params)

    alive = model.p_alive(params, *history)[0]
    silent = model.p_no_purchase(params, *history, horizon)[0]

    assert 0.0 <= alive <= 1.0
    assert 1.0 - alive - 1e-12 <= silent <= 1.0


@ANY
@given(parameters(), histories(), st.floats(0.0, 2000.0), st.floats(0.1, 500))
def test_more_time_brings_more_purchases_and_fewer_silences(params, history, horizon, more):
    model = models.of(params)

    soon, later = (model.expected_purchases(params, *history, h)[0] for h in (horizon, horizon + more))
    silent, still = (model.p_no_purchase(params, *history, h)[0] for h in (horizon, horizon + more))

    assert 0.0 <= soon <= later * (1 + 1e-10)
    assert np.isfinite(later)
    assert still <= silent + 1e-12


@ANY
@given(parameters(), histories(), st.floats(1.0, 2000.0))
def test_as_many_purchases_are_expected_as_the_chance_of_one(params, history, horizon):
    model = models.of(params)

    expected = model.expected_purchases(params, *history, horizon)[0]

    assert expected >= (1.0 - model.p_no_purchase(params, *history, horizon)[0]) * (1 - 1e-9) - 1e-12


@ANY
@given(parameters(), histories(), st.floats(0.0, 300.0))
def test_silence_makes_nobody_more_alive(params, history, days):
    model, (x, t_x, T) = models.of(params), history

    assert model.p_alive(params, x, t_x, T + days)[0] <= model.p_alive(params, x, t_x, T)[0] + 1e-12


@ANY
@given(parameters(), st.floats(1.0, 400.0), st.floats(1.0, 60.0), st.floats(0.0, 1500.0))
def test_the_silence_of_a_one_time_buyer_gets_worse_every_day(params, horizon, days, T):
    model = models.of(params)

    now, later = (model.p_no_purchase(params, 0.0, 0.0, at, horizon)[0] for at in (T, T + days))

    # rising, unless it is certainty already
    assert later > now or now > 1.0 - 1e-12


@ANY
@given(parameters(), st.floats(0.5, 1000.0))
def test_of_a_new_customer_the_past_is_the_likelihood_and_the_future_the_pmf(params, t):
    model, today = models.of(params), (0.0, 0.0, 0.0)

    silent = model.pmf(params, 0, t)[0]

    assert model.p_no_purchase(params, *today, t)[0] == pytest.approx(silent, rel=1e-11)
    assert np.exp(model.log_likelihood_each(params, 0.0, 0.0, t))[0] == pytest.approx(silent, rel=1e-11)
    new = model.expected_purchases_new(params, t)[0]
    assert model.expected_purchases(params, *today, t)[0] == pytest.approx(new, rel=1e-11)


@ANY
@given(parameters(), st.floats(0.5, 300.0))
def test_probabilities_of_counts_sum_to_one_with_the_right_mean(params, t):
    # so that the counts below hold all but nothing
    assume(params.r * t / params.alpha < 10.0)
    model, n = models.of(params), np.arange(1000.0)
    above = model.exceeds(params, 0.0, 0.0, 0.0, t, n)
    assume(above[-1] < 1e-13)

    p = model.pmf(params, n, t)

    assert p.min() >= 0.0
    assert p.sum() == pytest.approx(1.0, abs=1e-10)
    assert p @ n == pytest.approx(model.expected_purchases_new(params, t)[0], rel=1e-8)
    assert 1.0 - np.cumsum(p) == pytest.approx(above, abs=1e-10)


@ANY
@given(parameters(), histories(), st.floats(1.0, 400.0))
def test_a_quantile_is_the_first_count_that_reaches_its_level(params, history, horizon):
    model, levels = models.of(params), np.array([0.05, 0.1, 0.5, 0.9, 0.95])

    counts = model.purchase_quantiles(params, *history, horizon, levels)[:, 0]

    assert counts.tolist() == sorted(counts)
    assert np.all(1.0 - model.exceeds(params, *history, horizon, counts) >= levels - 1e-12)
    before = 1.0 - model.exceeds(params, *history, horizon, np.maximum(counts - 1.0, 0.0))
    assert np.all((counts == 0) | (before < levels + 1e-12))


@every_model
def test_the_quantiles_of_a_very_heavy_buyer_are_found_too(name):
    model, params = of(name)
    heavy = 3000.0, 699.0, 700.0

    low, high = model.purchase_quantiles(params, *heavy, 365.0, (0.1, 0.9))[:, 0]

    assert 0 < low < high
    for level, y in ((0.1, low), (0.9, high)):
        assert 1.0 - model.exceeds(params, *heavy, 365.0, y)[0] >= level
        assert 1.0 - model.exceeds(params, *heavy, 365.0, y - 1.0)[0] < level


@every_model
def test_expected_purchases_are_the_sum_of_the_chances_to_exceed(name):
    model, params = of(name)
    x, t_x, T = HISTORIES[:, :6]

    tails = sum(model.exceeds(params, x, t_x, T, 200.0, y) for y in range(200))

    assert model.expected_purchases(params, x, t_x, T, 200.0) == pytest.approx(tails, rel=1e-9)
    once = 1.0 - model.exceeds(params, x, t_x, T, 200.0, 0.0)
    assert model.p_no_purchase(params, x, t_x, T, 200.0) == pytest.approx(once, rel=1e-12)


@every_model
def test_nothing_happens_in_no_time(name):
    model, params = of(name)

    assert model.expected_purchases(params, *HISTORIES, 0.0).tolist() == [0.0] * 8
    assert model.p_no_purchase(params, *HISTORIES, 0.0) == pytest.approx(np.ones(8), rel=1e-15)
    assert model.exceeds(params, *HISTORIES, 0.0, 0.0).tolist() == [0.0] * 8
    assert model.purchase_quantiles(params, *HISTORIES, 0.0, (0.99,)).tolist() == [[0.0] * 8]
    # one may leave with the first purchase under MBG/NBD, and still has made no other
    assert model.pmf(params, [0.0, 1.0], 0.0).tolist() == pytest.approx([1.0, 0.0])
