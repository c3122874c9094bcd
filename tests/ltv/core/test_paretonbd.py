from dataclasses import asdict, astuple

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import nbinom

from ltv.core import paretonbd
from ltv.core.pareto_likelihood import Histories
from ltv.core.paretonbd import ParetoNbd
from tests.reference import cdnow, worked

PUBLISHED = ParetoNbd(**cdnow.PARETO_PUBLISHED)


@pytest.fixture(scope="module")
def fit():
    x, t_x, T, _ = cdnow.sample()
    return paretonbd.fit(x, t_x, T)


def test_the_fit_finds_the_published_parameters(fit):
    assert {name: round(value, 3) for name, value in asdict(fit.params).items()} == cdnow.PARETO_PUBLISHED
    assert fit.ok
    assert fit.iterations <= 10


def test_the_fit_finds_the_published_log_likelihood(fit):
    assert fit.log_likelihood == pytest.approx(cdnow.PARETO_LOG_LIKELIHOOD, abs=1e-3)


def test_the_fit_is_at_least_as_likely_as_that_of_another_program(fit):
    theirs = ParetoNbd(**cdnow.PARETO_CLVTOOLS)
    x, t_x, T, _ = cdnow.sample()

    likelihood = paretonbd.log_likelihood(theirs, x, t_x, T)

    assert likelihood < fit.log_likelihood
    assert likelihood == pytest.approx(fit.log_likelihood, abs=1e-5)
    assert astuple(theirs) == pytest.approx(astuple(fit.params), rel=5e-4)


def test_standard_errors_are_those_of_another_program(fit):
    assert fit.standard_errors == pytest.approx(cdnow.PARETO_STANDARD_ERRORS, rel=5e-3)


def test_the_worked_customers():
    alive = paretonbd.p_alive(PUBLISHED, *worked.HISTORIES)
    next_39, next_52 = (
        paretonbd.expected_purchases(PUBLISHED, *worked.HISTORIES, weeks) for weeks in (39, 52)
    )

    assert worked.agree(alive, worked.PARETO["p_alive"])
    assert worked.agree(next_39, worked.PARETO["next 39"])
    assert worked.agree(next_52, worked.PARETO["next 52"])


def test_expected_purchases_of_a_new_customer():
    found = paretonbd.expected_purchases_new(PUBLISHED, worked.NEW_WEEKS)

    assert worked.agree(found, worked.PARETO_NEW)


def test_the_chance_to_be_alive_is_finite_where_others_overflowed():
    alive = paretonbd.p_alive(ParetoNbd(**worked.CLVTOOLS_PARAMETERS), *worked.CLVTOOLS_HISTORIES)

    assert np.all((alive > 0.7) & (alive < 1.0))


@pytest.mark.parametrize("parameters", [(0.7, 8.0, 0.5, 14.0), (0.7, 14.0, 0.5, 8.0), (0.7, 9.0, 0.5, 9.0)])
def test_slopes_and_curvatures_are_those_of_small_steps(parameters):
    x, t_x, T, _ = cdnow.sample()
    data, at = Histories.of(x, t_x, T, np.ones_like(x)), np.array(parameters)

    value, gradient, hessian = data.evaluate(at)

    steps = 1e-5 * at * np.eye(4)
    around = [(data.evaluate(at + step), data.evaluate(at - step)) for step in steps]
    assert value == pytest.approx(paretonbd.log_likelihood(ParetoNbd(*parameters), x, t_x, T), rel=1e-13)
    for i, (above, below) in enumerate(around):
        assert gradient[i] == pytest.approx((above[0] - below[0]) / (2e-5 * at[i]), rel=1e-6)
        assert hessian[i] == pytest.approx((above[1] - below[1]) / (2e-5 * at[i]), rel=1e-6)


def test_equal_alpha_and_beta_are_no_special_case():
    x, t_x, T, _ = cdnow.sample()
    either_side = [ParetoNbd(0.5, 10.0, 0.6, 10.0 * (1 + e)) for e in (-1e-9, 0.0, 1e-9)]

    below, at, above = (paretonbd.log_likelihood_each(params, x, t_x, T) for params in either_side)

    assert at == pytest.approx((below + above) / 2, rel=1e-12)


def test_counts_are_those_of_the_story_the_model_tells():
    """Leaves at w with the density of a Pareto, buys until then or t at a rate drawn from a gamma."""
    params, t = ParetoNbd(2.0, 20.0, 1.5, 30.0), 25.0

    def counted(n):
        def left(w):
            return nbinom.pmf(n, 2.0, 20.0 / (20.0 + w)) * 1.5 * 30.0**1.5 / (30.0 + w) ** 2.5

        stayed = (30.0 / (30.0 + t)) ** 1.5 * nbinom.pmf(n, 2.0, 20.0 / (20.0 + t))
        return quad(left, 0, t, epsabs=1e-13)[0] + stayed

    found = paretonbd.pmf(params, np.arange(6), t)

    assert found == pytest.approx([counted(n) for n in range(6)], rel=1e-10)


def test_nobody_who_bought_at_the_very_end_has_left():
    assert paretonbd.p_alive(PUBLISHED, [0, 5, 5000], [0, 39, 39], [0, 39, 39]).tolist() == [1.0, 1.0, 1.0]


def test_lifetimes_with_an_infinite_mean_still_buy_a_finite_number_in_finite_time():
    slow = ParetoNbd(0.5, 10.0, 1.0, 10.0)

    found = paretonbd.expected_purchases_new(slow, [0.0, 10.0, 1e9])

    assert found == pytest.approx([0.0, 0.5 * np.log(2), 0.5 * np.log1p(1e8)], rel=1e-12)
    assert paretonbd.expected_purchases_new(slow, np.inf) == [np.inf]
