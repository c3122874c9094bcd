from dataclasses import asdict

import numpy as np
import pytest

from ltv.core import gamma_gamma
from ltv.core.gamma_gamma import GammaGamma
from tests.reference import cdnow

PUBLISHED = GammaGamma(**cdnow.GG_PUBLISHED)


def test_the_fit_finds_the_published_parameters():
    x, _, _, m = cdnow.sample()

    fit = gamma_gamma.fit(x, m)

    assert fit.ok
    assert fit.repeaters == 946
    assert asdict(fit.params) == pytest.approx(cdnow.GG_PUBLISHED, rel=2e-3)
    assert asdict(fit.params) == pytest.approx(cdnow.GG_FULL, rel=1e-4)
    assert fit.log_likelihood == pytest.approx(cdnow.GG_LOG_LIKELIHOOD, abs=1e-3)
    assert fit.standard_errors == pytest.approx(cdnow.GG_STANDARD_ERRORS, rel=1e-3)


def test_expected_spend_of_the_worked_customers():
    x, m, expected = np.array(cdnow.SPEND).T

    assert gamma_gamma.expected_spend(PUBLISHED, x, m) == pytest.approx(expected, abs=1e-4)


def test_the_currency_scales_gamma_only():
    x, _, _, m = cdnow.sample()

    cents = gamma_gamma.fit(x, m * 100).params

    assert cents.p == pytest.approx(cdnow.GG_FULL["p"], rel=1e-4)
    assert cents.q == pytest.approx(cdnow.GG_FULL["q"], rel=1e-4)
    assert cents.gamma == pytest.approx(cdnow.GG_FULL["gamma"] * 100, rel=1e-4)


@pytest.mark.parametrize("m", [0.0, -5.0, np.nan])
def test_without_a_usable_mean_the_population_speaks(m):
    assert gamma_gamma.expected_spend(PUBLISHED, [3], [m]) == pytest.approx([PUBLISHED.mean])


def test_free_and_refunded_purchases_are_left_out_of_the_fit():
    x, _, _, m = cdnow.sample()

    fit = gamma_gamma.fit(np.append(x, [3, 4]), np.append(m, [0.0, -20.0]))

    assert asdict(fit.params) == pytest.approx(cdnow.GG_FULL, rel=1e-4)


def test_a_population_without_a_mean_is_flagged():
    rng = np.random.default_rng(5)
    m = rng.gamma(12.0, 1.0, 4000) / rng.gamma(0.7, 1.0, 4000)

    fit = gamma_gamma.fit(np.full(4000, 4.0), m / 4)

    assert "no_mean" in fit.flags
    assert not fit.params.has_mean
    with pytest.raises(ValueError, match="no mean"):
        gamma_gamma.expected_spend(fit.params, [1], [10])


def test_a_population_without_a_variance_is_flagged():
    rng = np.random.default_rng(6)
    m = rng.gamma(12.0, 1.0, 4000) / rng.gamma(1.5, 1.0, 4000)

    fit = gamma_gamma.fit(np.full(4000, 4.0), m / 4)

    assert fit.flags == ("no_variance",)
    assert fit.params.has_mean


def test_equal_amounts_are_flagged_and_finite():
    fit = gamma_gamma.fit(np.full(300, 2.0), np.full(300, 20.0))

    assert not fit.ok
    assert np.isfinite(list(asdict(fit.params).values())).all()


def test_nobody_spending_is_flagged():
    fit = gamma_gamma.fit([0.0, 0.0], [0.0, 0.0])

    assert fit.flags == ("nobody_spent_twice",)
    assert not fit.ok


def test_the_shrunken_mean_lies_between_own_and_all():
    spend = gamma_gamma.shrunken_spend([0, 1, 3], [0, 10, 30])

    assert spend.tolist() == [25.0, 17.5, 28.75]


def test_the_shrunken_mean_of_nothing_is_nothing():
    assert gamma_gamma.shrunken_spend([0, 0], [0, 0]).tolist() == [0.0, 0.0]


def test_frequency_and_spend_are_nearly_uncorrelated_on_cdnow():
    x, _, _, m = cdnow.sample()

    assert gamma_gamma.frequency_correlation(x, m) == pytest.approx(0.11, abs=0.01)


def test_a_correlation_that_is_not_defined_is_none_at_all():
    assert gamma_gamma.frequency_correlation([1, 1, 1, 1], [1, 2, 3, 4]) == 0.0
    assert gamma_gamma.frequency_correlation([], []) == 0.0
