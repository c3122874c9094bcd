from dataclasses import asdict

import numpy as np
import pytest

from ltv.core import mbgnbd
from ltv.core.mbgnbd import MbgNbd
from tests.reference import cdnow, numerics, worked

PARAMS = MbgNbd(**cdnow.MBG_FULL)


def test_the_fit_finds_the_parameters_of_other_programs():
    x, t_x, T, _ = cdnow.sample()

    fit = mbgnbd.fit(x, t_x, T)

    assert fit.ok
    assert asdict(fit.params) == pytest.approx(cdnow.MBG_FULL, rel=1e-4)
    assert fit.log_likelihood == pytest.approx(cdnow.MBG_LOG_LIKELIHOOD, abs=1e-3)


def test_the_worked_customers():
    first_four = worked.HISTORIES[:, :4]

    assert worked.agree(mbgnbd.p_alive(PARAMS, *first_four), worked.MBG["p_alive"])
    assert worked.agree(mbgnbd.expected_purchases(PARAMS, *first_four, 39), worked.MBG["next 39"])


def test_one_time_buyers_are_not_alive_for_ever():
    weeks = np.array([0.0, 10.0, 39.0, 104.0, 520.0])

    alive = mbgnbd.p_alive(PARAMS, np.zeros(5), np.zeros(5), weeks)

    assert alive[0] == pytest.approx(PARAMS.b / (PARAMS.a + PARAMS.b))
    assert np.all(np.diff(alive) < 0)
    assert alive[-1] < 0.2


def test_log_likelihoods_survive_two_hundred_purchases():
    x, t_x, T, _, expected = np.array(numerics.LOG_LIKELIHOODS).T

    found = mbgnbd.log_likelihood_each(MbgNbd(*numerics.PARAMETERS), x, t_x, T)

    assert found == pytest.approx(expected, abs=1e-4)


def test_probabilities_of_counts_sum_to_one_with_the_right_mean():
    n = np.arange(4000)

    p = mbgnbd.pmf(PARAMS, n, 39)

    assert p.sum() == pytest.approx(1.0, abs=1e-9)
    assert p @ n == pytest.approx(mbgnbd.expected_purchases_new(PARAMS, 39)[0], abs=1e-6)
