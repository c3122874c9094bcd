"""What customers will still buy, each purchase discounted to today: the same promises of every model."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import hyperu

from ltv.core import bgnbd, paretonbd
from ltv.core.bgnbd import BgNbd
from ltv.core.models import MODELS
from ltv.core.paretonbd import ParetoNbd
from tests.ltv.core.populations import PARAMETERS
from tests.reference import cdnow, worked

YEARLY = 0.1 / 365
HISTORIES = np.array([(0, 0, 0), (0, 0, 200), (1, 30, 200), (6, 180, 200), (40, 600, 700)], float).T

every_model = pytest.mark.parametrize("name", MODELS)


def of(name):
    return MODELS[name], PARAMETERS[name]


def test_the_worked_customers():
    found = paretonbd.residual_value(ParetoNbd(**cdnow.PARETO_PUBLISHED), *worked.HISTORIES, worked.DELTA)

    assert worked.agree(found, worked.PARETO["residual"])


def test_the_customer_of_the_btyd_manual():
    for history, printed in worked.PARETO_RESIDUAL.items():
        found = paretonbd.residual_value(ParetoNbd(**worked.PARETO_78), *history, worked.DELTA)

        assert worked.agree(found, printed)


def test_value_bends_backwards_with_frequency_when_the_last_purchase_is_long_ago():
    t_x, T = worked.PARETO_BEND

    found = paretonbd.residual_value(ParetoNbd(**worked.PARETO_78), np.arange(1, 11), t_x, T, worked.DELTA)

    assert worked.agree(found, worked.PARETO_BENDS)
    assert found.argmax() == 2


def test_without_a_horizon_pareto_is_the_published_confluent_hypergeometric_function():
    params, delta = PARAMETERS["paretonbd"], 0.002
    x, t_x, T = HISTORIES

    found = paretonbd.residual_value(params, x, t_x, T, delta)

    pace, s = params.beta + T, params.s
    worth = (delta * pace) ** (s - 1) * hyperu(s, s, delta * pace) * pace
    rate = (params.r + x) / (params.alpha + T)
    assert found == pytest.approx(paretonbd.p_alive(params, x, t_x, T) * rate * worth, rel=1e-9)


@every_model
def test_it_is_the_integral_of_discounted_buying(name):
    model, params = of(name)
    horizon, delta = 500.0, 3 * YEARLY
    history = [[column[3]] for column in HISTORIES]

    found = model.residual_value(params, *history, delta, horizon)[0]

    def foregone(t):
        return delta * np.exp(-delta * t) * model.expected_purchases(params, *history, t)[0]

    by_parts = quad(foregone, 0, horizon, epsrel=1e-11)[0]
    at_end = np.exp(-delta * horizon) * model.expected_purchases(params, *history, horizon)[0]
    assert found == pytest.approx(at_end + by_parts, rel=1e-10)


@every_model
def test_it_is_nearly_the_papers_sum_over_short_periods(name):
    model, params = of(name)
    weeks = np.arange(0.0, 8 * 52 + 1) * 7
    history = [[column[2]] for column in HISTORIES]
    upto = np.array([model.expected_purchases(params, *history, day)[0] for day in weeks])

    middle_of_each = np.exp(-YEARLY * (weeks[1:] + weeks[:-1]) / 2) @ np.diff(upto)

    assert model.residual_value(params, *history, YEARLY, weeks[-1]) == pytest.approx(
        middle_of_each, rel=1e-5
    )


@every_model
def test_without_a_discount_it_is_what_is_expected(name):
    model, params = of(name)

    found = model.residual_value(params, *HISTORIES, 0.0, 365.0)

    assert found == pytest.approx(model.expected_purchases(params, *HISTORIES, 365.0), rel=1e-14)
    hardly = model.residual_value(params, *HISTORIES, 1e-12, 365.0)
    assert hardly == pytest.approx(found, rel=1e-9)


@every_model
def test_the_longest_horizon_is_none(name):
    model, params = of(name)

    for_ever = model.residual_value(params, *HISTORIES, YEARLY)

    assert model.residual_value(params, *HISTORIES, YEARLY, 40 / YEARLY) == pytest.approx(for_ever, rel=1e-9)
    assert np.all(model.residual_value(params, *HISTORIES, YEARLY, 20_000.0) < for_ever)


@every_model
def test_of_no_time_nothing_is_expected(name):
    model, params = of(name)

    assert model.residual_value(params, *HISTORIES, YEARLY, 0.0).tolist() == [0.0] * 5
    moment = model.residual_value(params, *HISTORIES, YEARLY, 1e-300)
    rate = (params.r + HISTORIES[0]) / (params.alpha + HISTORIES[2])
    assert moment == pytest.approx(1e-300 * rate * model.p_alive(params, *HISTORIES), rel=1e-11)


@pytest.mark.parametrize(
    ("params", "finite"),
    [
        (BgNbd(0.8, 40.0, 0.8, 2.5), False),
        (BgNbd(0.8, 40.0, 1.0, 2.5), False),
        (BgNbd(0.8, 40.0, 1.5, 2.5), True),
        (ParetoNbd(0.8, 40.0, 0.8, 90.0), False),
        (ParetoNbd(0.8, 40.0, 1.0, 90.0), False),
        (ParetoNbd(0.8, 40.0, 1.5, 90.0), True),
    ],
    ids=str,
)
def test_a_whole_life_without_discount_is_worth_a_finite_sum_only_if_people_leave_in_time(params, finite):
    model = bgnbd if isinstance(params, BgNbd) else paretonbd

    found = model.residual_value(params, *HISTORIES, 0.0)

    assert np.all(np.isfinite(found)) == finite
    if finite:
        long = model.expected_purchases(params, *HISTORIES, 1e12)
        assert found == pytest.approx(long, rel=1e-3)
    else:
        assert np.all(found == np.inf)


def test_a_whole_life_under_bg_nbd_has_a_closed_form():
    params = BgNbd(0.8, 40.0, 1.5, 2.5)
    x, t_x, T = HISTORIES

    found = bgnbd.residual_value(params, x, t_x, T, 0.0)

    # the mean of 1/p, for p ~ Beta(a, b + x)
    assert found == pytest.approx(bgnbd.p_alive(params, x, t_x, T) * (1.5 + 2.5 + x - 1) / 0.5, rel=1e-13)


@every_model
@settings(max_examples=40, deadline=None)
@given(
    delta=st.floats(1e-6, 1.0),
    more=st.floats(1.1, 10.0),
    horizon=st.one_of(st.floats(1.0, 1e5), st.just(np.inf)),
)
def test_impatience_lowers_the_value_and_time_raises_it(name, delta, more, horizon):
    model, params = of(name)

    value = model.residual_value(params, *HISTORIES, delta, horizon)

    assert np.all((value > 0) & np.isfinite(value))
    assert np.all(model.residual_value(params, *HISTORIES, delta * more, horizon) < value)
    assert np.all(model.residual_value(params, *HISTORIES, delta, horizon * more) >= value * (1 - 1e-12))
    if np.isfinite(horizon):
        expected = model.expected_purchases(params, *HISTORIES, horizon)
        assert np.all(value <= expected * (1 + 1e-12))
        assert np.all(value >= expected * np.exp(-delta * horizon) * (1 - 1e-12))


@every_model
def test_the_unit_of_time_does_not_matter(name):
    model, params = of(name)
    times = {key: value * 86_400.0 for key, value in vars(params).items() if key in params.times}
    in_seconds = model.Params(**{**vars(params), **times})
    x, t_x, T = HISTORIES

    found = model.residual_value(in_seconds, x, t_x * 86_400, T * 86_400, YEARLY / 86_400, 365.0 * 86_400)

    assert found == pytest.approx(model.residual_value(params, x, t_x, T, YEARLY, 365.0), rel=1e-11)
