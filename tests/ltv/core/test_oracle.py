"""The lifetimes package as an independent witness, on a random sample of simulated customers."""

from dataclasses import astuple

import numpy as np
import pytest
from lifetimes import BetaGeoFitter, GammaGammaFitter, ModifiedBetaGeoFitter

from ltv.core import bgnbd, gamma_gamma, mbgnbd
from tests.ltv.core.populations import shop


@pytest.fixture(scope="module")
def people():
    return shop(customers=3_000, seed=12)


@pytest.mark.parametrize(
    ("module", "witness"), [(bgnbd, BetaGeoFitter), (mbgnbd, ModifiedBetaGeoFitter)], ids=["bg", "mbg"]
)
def test_fit_and_predictions_agree(people, module, witness):
    other = witness().fit(people.x, people.t_x, people.T)
    fit = module.fit(people.x, people.t_x, people.T)

    assert astuple(fit.params) == pytest.approx(other.params_[["r", "alpha", "a", "b"]], rel=2e-3)

    params = type(fit.params)(*(float(other.params_[name]) for name in ("r", "alpha", "a", "b")))
    histories = people.x, people.t_x, people.T
    alive = module.p_alive(params, *histories)
    assert alive == pytest.approx(np.asarray(other.conditional_probability_alive(*histories)), abs=1e-9)
    expected = other.conditional_expected_number_of_purchases_up_to_time(90, *histories)
    assert module.expected_purchases(params, *histories, 90) == pytest.approx(np.asarray(expected), rel=1e-6)
    ours = module.log_likelihood(fit.params, *histories)
    assert ours >= module.log_likelihood(params, *histories) - 1e-6


def test_spending_agrees(people):
    spent = people.x > 0
    other = GammaGammaFitter().fit(people.x[spent], people.m[spent])
    fit = gamma_gamma.fit(people.x, people.m)

    assert astuple(fit.params) == pytest.approx(other.params_[["p", "q", "v"]], rel=2e-3)

    params = gamma_gamma.GammaGamma(*(float(other.params_[name]) for name in ("p", "q", "v")))
    expected = other.conditional_expected_average_profit(people.x[spent], people.m[spent])
    found = gamma_gamma.expected_spend(params, people.x[spent], people.m[spent])
    assert found == pytest.approx(np.asarray(expected), rel=1e-9)
