from dataclasses import astuple

import numpy as np
import pytest

from ltv.core import bgnbd, mbgnbd, simulate
from tests.ltv.core.populations import BG, GG, HORIZON, MBG, shop


@pytest.mark.parametrize(("module", "params"), [(bgnbd, BG), (mbgnbd, MBG)])
def test_a_fit_finds_the_parameters_a_shop_was_simulated_with(module, params):
    people = shop(params)

    fit = module.fit(people.x, people.t_x, people.T)

    off = (np.array(astuple(fit.params)) - astuple(params)) / fit.standard_errors
    assert fit.ok
    assert np.abs(off).max() < 3.5
    assert astuple(fit.params) == pytest.approx(astuple(params), rel=0.1)


def test_new_customers_buy_as_often_as_expected():
    people = simulate.population(np.random.default_rng(3), BG, GG, np.full(50_000, 200.0), HORIZON)

    assert people.x.mean() == pytest.approx(bgnbd.expected_purchases_new(BG, 200.0)[0], rel=0.02)


def test_the_same_seed_gives_the_same_shop():
    first = simulate.population(np.random.default_rng(9), MBG, GG, np.full(500, 90.0), HORIZON)
    second = simulate.population(np.random.default_rng(9), MBG, GG, np.full(500, 90.0), HORIZON)

    assert first.x.tolist() == second.x.tolist()
    assert first.revenue.tolist() == second.revenue.tolist()


def test_a_simulated_history_is_one_a_customer_can_have():
    people = shop()

    assert np.all((people.t_x >= 0) & (people.t_x <= people.T))
    assert np.all((people.x == 0) == (people.t_x == 0))
    assert np.all((people.x == 0) == (people.m == 0))
    assert np.all((people.purchases == 0) == (people.revenue == 0))
    assert np.all(people.purchases[~people.alive] == 0)
