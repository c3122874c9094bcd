"""What must hold for any shop and any customer."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ltv.core import bgnbd, clv, fallback, mbgnbd, uncertainty
from ltv.core.bgnbd import BgNbd
from ltv.core.gamma_gamma import GammaGamma
from ltv.core.mbgnbd import MbgNbd
from ltv.core.models import MODELS
from ltv.core.paretonbd import ParetoNbd

ANY = settings(max_examples=50, deadline=None)


@st.composite
def parameters(draw, kind):
    return kind(
        r=draw(st.floats(0.01, 20)),
        alpha=draw(st.floats(0.1, 500)),
        a=draw(st.floats(0.02, 20)),
        b=draw(st.floats(0.02, 50)),
    )


models = st.one_of(parameters(BgNbd), parameters(MbgNbd))
horizons = st.one_of(st.just(0.0), st.floats(1e-3, 2000.0))


@st.composite
def histories(draw):
    x = draw(st.integers(0, 300))
    T = draw(st.floats(0.5, 3000))
    return float(x), draw(st.floats(0.01, 1.0)) * T if x else 0.0, T


@ANY
@given(models, histories(), horizons)
def test_probabilities_lie_between_nothing_and_certainty(params, history, horizon):
    alive = bgnbd.p_alive(params, *history)
    silent = bgnbd.p_no_purchase(params, *history, horizon)

    assert 0.0 <= alive[0] <= 1.0
    assert 0.0 <= silent[0] <= 1.0
    assert silent[0] >= 1.0 - alive[0] - 1e-12


@ANY
@given(models, histories(), horizons, st.floats(0.1, 500))
def test_more_time_never_brings_fewer_purchases(params, history, horizon, more):
    soon, later = (bgnbd.expected_purchases(params, *history, h)[0] for h in (horizon, horizon + more))

    assert 0.0 <= soon <= later * (1 + 1e-9)
    assert np.isfinite(later)


@ANY
@given(models, histories(), st.floats(1.0, 2000.0))
def test_as_many_purchases_are_expected_as_the_chance_of_one(params, history, horizon):
    expected = bgnbd.expected_purchases(params, *history, horizon)[0]
    silent = bgnbd.p_no_purchase(params, *history, horizon)[0]

    assert expected >= (1.0 - silent) * (1 - 1e-9) - 1e-12


@ANY
@given(models, st.floats(1.0, 400.0), st.floats(1.0, 60.0), st.floats(0.0, 1500.0))
def test_the_silence_of_a_one_time_buyer_gets_worse_every_day(params, horizon, days, T):
    now, later = (bgnbd.p_no_purchase(params, 0.0, 0.0, at, horizon)[0] for at in (T, T + days))

    # rising, unless it is certainty already
    assert later > now or now > 1.0 - 1e-12


@ANY
@given(models, histories(), st.floats(0.0, 300.0))
def test_silence_makes_nobody_more_alive(params, history, days):
    x, t_x, T = history
    now, later = (bgnbd.p_alive(params, x, t_x, at)[0] for at in (T, T + days))

    assert later <= now + 1e-12


@ANY
@given(models, histories(), st.floats(1.0, 400.0))
def test_quantiles_rise_with_their_level(params, history, horizon):
    counts = bgnbd.purchase_quantiles(params, *history, horizon, (0.05, 0.1, 0.5, 0.9, 0.95))[:, 0]

    assert counts.tolist() == sorted(counts)


@given(parameters(BgNbd))
@ANY
def test_only_the_modified_model_lets_one_time_buyers_go(params):
    modified = MbgNbd(params.r, params.alpha, params.a, params.b)

    assert bgnbd.p_alive(params, 0.0, 0.0, 100.0) == [1.0]
    assert mbgnbd.p_alive(modified, 0.0, 0.0, 100.0)[0] < 1.0


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_no_shuffle_changes_a_fit(seed):
    from tests.ltv.core.populations import shop

    people = shop(customers=1_000, seed=5)
    order = np.random.default_rng(seed).permutation(1_000)

    plain = bgnbd.fit(people.x, people.t_x, people.T)
    shuffled = bgnbd.fit(people.x[order], people.t_x[order], people.T[order])

    assert shuffled.params.r == pytest.approx(plain.params.r, rel=1e-8)
    assert shuffled.params.b == pytest.approx(plain.params.b, rel=1e-8)


@st.composite
def pareto_parameters(draw):
    return ParetoNbd(
        r=draw(st.floats(0.05, 20)),
        alpha=draw(st.floats(0.5, 500)),
        s=draw(st.floats(0.05, 20)),
        beta=draw(st.floats(0.5, 2000)),
    )


@st.composite
def spendings(draw):
    return GammaGamma(p=draw(st.floats(0.5, 30)), q=draw(st.floats(1.1, 20)), gamma=draw(st.floats(0.1, 1e4)))


all_models = st.one_of(models, pareto_parameters())
FEW = settings(max_examples=20, deadline=None)


def predicted(params, spending, histories, m, horizon=365.0, margin=0.3):
    x, t_x, T = np.array(histories, dtype=float).reshape(-1, 3).T
    return clv.predict(params, None, spending, x, t_x, T, m, horizon, 90.0, margin, 0.1)


@FEW
@given(all_models, spendings(), st.lists(histories(), min_size=1, max_size=8), st.floats(0.0, 1e5), horizons)
def test_predictions_are_finite_and_in_range(params, spending, customers, m, horizon):
    found = predicted(params, spending, customers, m, horizon)

    in_range(found)


def in_range(found):
    for name, column in vars(found).items():
        assert np.isfinite(column).all(), name
        assert np.all(column >= 0), name
    assert np.all(found.p_alive <= 1)
    assert np.all(found.p_no_purchase <= 1)
    assert np.all(found.purchases_low <= found.purchases_high)
    assert np.all(found.value_low <= found.value_high * (1 + 1e-9))
    assert np.all(found.clv <= 0.3 * found.expected_value * (1 + 1e-4))


@st.composite
def rows(draw):
    """Mostly histories, and what an import may get wrong."""
    x, t_x, T = draw(histories())
    wrong = draw(st.sampled_from([None] * 9 + [np.nan, -1.0, T + 1.0]))
    return (x, t_x if wrong is None else wrong, T, draw(st.floats(-10, 1e4)))


@settings(max_examples=12, deadline=None)
@given(st.sampled_from(sorted(MODELS)), st.lists(rows(), min_size=1, max_size=40))
def test_any_summaries_end_on_a_rung_with_predictions_that_are_finite_and_in_range(name, summaries):
    x, t_x, T, m = np.array(summaries).T
    policy = 365.0, 90.0, 0.3, 0.1

    choice = fallback.climb(MODELS[name], x, t_x, T)

    spending = fallback.climb_spending(x, m).params
    if choice.params is None:
        found = fallback.heuristic(x, t_x, T, m, *policy)
    else:
        points = uncertainty.likely(choice.params, choice.covariance, spending, ())
        found = clv.predict(choice.params, None, spending, x, t_x, T, m, *policy, points=points)
    assert choice.step in ("pooled", "formula")
    in_range(found)


@FEW
@given(all_models, st.floats(1.0, 60.0), st.floats(0.0, 1500.0))
def test_the_risk_of_a_one_time_buyer_rises_with_every_silent_day_under_every_model(params, days, T):
    found = predicted(params, None, [(0, 0, T), (0, 0, T + days)], 0.0).p_no_purchase

    assert found[1] > found[0] or found[0] > 1.0 - 1e-12


@FEW
@given(histories(), st.floats(1.0, 60.0))
def test_the_risk_by_the_formula_rises_with_every_silent_day(history, days):
    x, t_x, T = history
    others = np.full(50, 2.0), np.full(50, 100.0), np.full(50, 200.0)

    def risk(T):
        columns = (np.append(column, own) for column, own in zip(others, (x, t_x, T), strict=True))
        return fallback.heuristic(*columns, 20.0, 365.0, 90.0, 0.3, 0.1).p_no_purchase[-1]

    assert risk(T + days) >= risk(T)


@FEW
@given(all_models, spendings(), st.integers(1, 200), st.floats(1.0, 2000.0))
def test_who_bought_more_often_and_just_now_is_worth_more(params, spending, x, T):
    # at the mean amount, which more purchases do not change
    found = predicted(params, spending, [(x, T, T), (x + 1, T, T)], spending.mean)

    assert found.expected_purchases[1] > found.expected_purchases[0]
    assert found.clv[1] > found.clv[0]


@FEW
@given(all_models, spendings(), histories(), st.floats(0.1, 1e4), st.floats(1.01, 5.0), st.floats(0.01, 0.5))
def test_value_rises_with_the_amount_and_the_margin(params, spending, history, m, more, margin):
    less, mid = (predicted(params, spending, [history], amount, margin=margin) for amount in (m, m * more))
    rich = predicted(params, spending, [history], m * more, margin=margin * 1.5)

    for name in ("expected_spend_per_purchase", "expected_value", "value_low", "value_high", "clv"):
        assert getattr(mid, name) >= getattr(less, name) * (1 - 1e-12)
    if history[0]:
        assert mid.expected_value > less.expected_value or less.expected_purchases < 1e-200
    assert rich.clv == pytest.approx(1.5 * mid.clv)


@FEW
@given(all_models, spendings(), histories(), st.lists(st.floats(0.0, 1e5), min_size=2, max_size=6))
def test_the_law_of_spend_rises_from_no_purchase_to_certainty(params, spending, history, amounts):
    s = np.sort(amounts)

    law = uncertainty.spend_cdf(params, spending, *history, 20.0, 60.0, s)

    assert np.all(np.diff(law) >= -1e-7)
    assert np.all((law >= -1e-12) & (law <= 1.0))


@FEW
@given(all_models, spendings(), histories(), st.floats(0.2, 0.6))
def test_the_more_confident_the_lower_the_bound(params, spending, history, confidence):
    points = uncertainty.best(params, spending)

    bounds = [
        uncertainty.lower_bound(points, *history, 20.0, 365.0, level)[0]
        for level in (confidence, confidence + 0.3)
    ]

    assert bounds[1] <= bounds[0] * (1 + 1e-3)
