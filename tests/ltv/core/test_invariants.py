"""What must hold for any shop and any customer."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ltv.core import bgnbd, mbgnbd
from ltv.core.bgnbd import BgNbd
from ltv.core.mbgnbd import MbgNbd

ANY = settings(max_examples=80, deadline=None)


@st.composite
def parameters(draw, kind):
    return kind(
        r=draw(st.floats(0.01, 20)),
        alpha=draw(st.floats(0.1, 500)),
        a=draw(st.floats(0.02, 20)),
        b=draw(st.floats(0.02, 50)),
    )


models = st.one_of(parameters(BgNbd), parameters(MbgNbd))
horizons = st.floats(0.0, 2000.0)


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
