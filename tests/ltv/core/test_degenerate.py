"""Odd shops: the fit says so, and nothing is ever NaN."""

import time
from dataclasses import astuple

import numpy as np
import pytest

from ltv.core import bgnbd, clv, fallback, mbgnbd, simulate
from ltv.core.models import MODELS
from tests.ltv.core.populations import BG, GG, HORIZON

N = 2000


def observed(seed=3):
    rng = np.random.default_rng(seed)
    return rng, rng.uniform(100, 700, N)


def nobody_returns():
    _, T = observed()
    return np.zeros(N), np.zeros(N), T


def one_percent_returns_once():
    rng, T = observed()
    x = (rng.random(N) < 0.01).astype(float)
    return x, x * T * rng.random(N), T


def poisson(rate):
    rng, T = observed()
    x = rng.poisson(rate(rng) * T).astype(float)
    return x, np.where(x > 0, rng.beta(np.maximum(x, 1), 1) * T, 0.0), T


def all_equal_buyers():
    return poisson(lambda rng: 6 / 365)


def nobody_leaves():
    return poisson(lambda rng: rng.gamma(1.0, 1 / 60, N))


def all_identical():
    return np.full(N, 5.0), np.full(N, 300.0), np.full(N, 400.0)


def all_new_today():
    return np.zeros(N), np.zeros(N), np.zeros(N)


def all_left_long_ago():
    rng, _ = observed()
    return rng.integers(1, 8, N).astype(float), rng.uniform(1, 60, N), np.full(N, 2000.0)


def ten_customers():
    people = simulate.population(np.random.default_rng(3), BG, GG, np.linspace(100, 700, 10), HORIZON)
    return people.x, people.t_x, people.T


def recency_forgotten():
    rng, T = observed()
    return rng.integers(1, 8, N).astype(float), np.zeros(N), T


def five_thousand_clean(unit=1.0):
    people = simulate.population(np.random.default_rng(4), BG, GG, np.full(5_000, 400.0), HORIZON)
    return people.x, people.t_x * unit, people.T * unit


def with_one_machine():
    return tuple(
        np.append(column, machine)
        for column, machine in zip(five_thousand_clean(), (390, 399, 400), strict=True)
    )


def in_seconds():
    return five_thousand_clean(86_400.0)


def in_years():
    return five_thousand_clean(1 / 365)


def nobody_at_all():
    return np.array([]), np.array([]), np.array([])


FLAGGED = [
    nobody_returns, one_percent_returns_once, all_equal_buyers, nobody_leaves, all_identical,
    all_new_today, all_left_long_ago, recency_forgotten, nobody_at_all,
]  # fmt: skip
HELD_BY_THE_RIDGE = [one_percent_returns_once, all_equal_buyers, nobody_leaves, ten_customers]


@pytest.mark.parametrize("module", [bgnbd, mbgnbd], ids=["bg", "mbg"])
@pytest.mark.parametrize("ridge", [0.0, 0.05])
@pytest.mark.parametrize("make", [*FLAGGED, ten_customers])
def test_no_fit_answers_nan(make, ridge, module):
    x, t_x, T = make()

    fit = module.fit(x, t_x, T, ridge=ridge)

    assert np.isfinite(astuple(fit.params)).all()
    assert np.isfinite(fit.log_likelihood)
    assert not np.isnan(fit.standard_errors).any()
    for found in (
        module.p_alive(fit.params, x, t_x, T),
        module.expected_purchases(fit.params, x, t_x, T, 365.0),
        module.p_no_purchase(fit.params, x, t_x, T, 90.0),
    ):
        assert np.isfinite(found).all()


@pytest.mark.parametrize("make", FLAGGED)
def test_data_that_do_not_say_the_parameters_are_flagged(make):
    fit = bgnbd.fit(*make())

    assert not fit.ok
    assert fit.flags != ()


@pytest.mark.parametrize("make", HELD_BY_THE_RIDGE)
def test_a_weak_ridge_holds_what_it_can(make):
    fit = bgnbd.fit(*make(), ridge=0.05)

    assert fit.ok


@pytest.mark.parametrize(
    ("make", "flag"),
    [
        (nobody_returns, "no_repeat_purchases"),
        (all_new_today, "nothing_observed"),
        (recency_forgotten, "nothing_observed"),
        (nobody_at_all, "nothing_observed"),
        (nobody_leaves, "a_at_bound"),
        (all_identical, "r_at_bound"),
        (all_left_long_ago, "a_at_bound"),
    ],
)
def test_the_flag_says_what_is_wrong(make, flag):
    assert flag in bgnbd.fit(*make()).flags


def test_equal_buyers_are_still_predicted_right():
    x, t_x, T = all_equal_buyers()

    fit = bgnbd.fit(x, t_x, T)

    assert bgnbd.expected_purchases(fit.params, x, t_x, T, 365.0).mean() == pytest.approx(6.0, rel=0.02)


def test_nobody_is_expected_back_where_nobody_ever_returned():
    x, t_x, T = nobody_returns()

    fit = bgnbd.fit(x, t_x, T, ridge=0.05)

    assert bgnbd.expected_purchases(fit.params, x, t_x, T, 365.0).max() < 0.001


def test_a_few_impossible_rows_are_left_out():
    people = simulate.population(np.random.default_rng(4), BG, GG, np.full(N, 400.0), HORIZON)
    bad = np.array([np.nan, 2.5, -1.0, 3.0, 2.0]), np.array([1.0, 1, 1, 500, 0]), np.full(5, 400.0)

    fit = bgnbd.fit(*(np.append(a, b) for a, b in zip((people.x, people.t_x, people.T), bad, strict=True)))

    assert fit.rejected == 5
    assert fit.ok
    assert astuple(fit.params) == astuple(bgnbd.fit(people.x, people.t_x, people.T).params)


def test_many_impossible_rows_are_an_objection():
    people = simulate.population(np.random.default_rng(4), BG, GG, np.full(N, 400.0), HORIZON)

    fit = bgnbd.fit(people.x, np.where(people.x > 2, 0.0, people.t_x), people.T)

    assert "impossible_rows" in fit.flags


def test_one_machine_among_customers_changes_little():
    people = simulate.population(np.random.default_rng(4), BG, GG, np.full(5000, 400.0), HORIZON)
    clean = bgnbd.fit(people.x, people.t_x, people.T)

    odd = bgnbd.fit(np.append(people.x, 390), np.append(people.t_x, 399), np.append(people.T, 400))

    assert odd.ok
    assert astuple(odd.params) == pytest.approx(astuple(clean.params), rel=0.05)


@pytest.mark.parametrize("unit", [86_400.0, 1 / 365])
def test_seconds_and_years_predict_the_same(unit):
    people = simulate.population(np.random.default_rng(4), BG, GG, np.full(N, 400.0), HORIZON)
    days = bgnbd.fit(people.x, people.t_x, people.T).params

    other = bgnbd.fit(people.x, people.t_x * unit, people.T * unit).params

    assert bgnbd.expected_purchases(
        other, people.x, people.t_x * unit, people.T * unit, HORIZON * unit
    ) == pytest.approx(bgnbd.expected_purchases(days, people.x, people.t_x, people.T, HORIZON), rel=1e-6)


def test_impossible_rows_are_predicted_as_nothing_and_marked():
    x, t_x, T, m = [2.0, np.nan, 2.0, 0.0], [30.0, 1, 50, 0], [40.0, 2, 40, 10], [20.0, 5, np.nan, 0]

    found = clv.predict(BG, None, GG, x, t_x, T, m, 365.0, 90.0, 0.3, 0.1)

    assert found.usable.tolist() == [True, False, False, True]
    for column in astuple(found)[:-1]:
        assert np.isfinite(column).all()
        assert column[[1, 2]].tolist() == [0.0, 0.0]


# the rung each kind of data ends on, for a shop without a past
RUNGS = {
    nobody_returns: "formula",
    one_percent_returns_once: "pooled",
    all_equal_buyers: "own",
    nobody_leaves: "own",
    all_identical: "pooled",
    all_new_today: "formula",
    all_left_long_ago: "pooled",
    ten_customers: "pooled",
    recency_forgotten: "formula",
    nobody_at_all: "formula",
    five_thousand_clean: "own",
    with_one_machine: "own",
    in_seconds: "own",
    in_years: "own",
}


@pytest.mark.parametrize("make", RUNGS)
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_every_shop_ends_on_a_named_rung_with_finite_predictions_in_no_time(make, model):
    x, t_x, T = make()
    m = np.where(x > 0, 20.0, 0.0)
    policy = 365.0 * unit_of(make), 90.0 * unit_of(make), 0.3, 0.1
    began = time.process_time()

    choice = fallback.climb(model, x, t_x, T)
    spending = fallback.choose(None, None, fallback.pooled_spend(x, m)).params
    if choice.params is None:
        found = fallback.heuristic(x, t_x, T, m, *policy)
    else:
        found = clv.predict(choice.params, None, spending, x, t_x, T, m, *policy)

    assert time.process_time() - began < 2.0
    assert choice.step == RUNGS[make]
    assert (choice.reasons == ()) == (choice.step == "own")
    for column in astuple(found)[:-1]:
        assert np.isfinite(column).all()


def unit_of(make):
    return {in_seconds: 86_400.0, in_years: 1 / 365}.get(make, 1.0)


@pytest.mark.parametrize("make", RUNGS)
def test_every_shop_with_a_past_falls_back_on_it_at_most(make):
    choice = fallback.climb(bgnbd, *make(), last=BG)

    assert choice.step in ("own", "last")
    assert choice.params is not None


def test_who_left_long_ago_is_not_expected_back():
    histories = all_left_long_ago()

    choice = fallback.climb(bgnbd, *histories)

    assert bgnbd.expected_purchases(choice.params, *histories, 365.0).max() < 0.01
