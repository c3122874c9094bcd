from dataclasses import asdict, astuple

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


def test_cdnow_gives_no_reason_for_a_note():
    x, _, _, m = cdnow.sample()

    fit = gamma_gamma.fit(x, m)

    assert fit.notes == ()
    logs = np.sqrt(np.diag(fit.covariance)) * list(asdict(fit.params).values())
    assert logs == pytest.approx(fit.standard_errors)


@pytest.mark.parametrize("power", [0.5, -0.5])
def test_spending_that_goes_with_frequency_is_noted_and_no_objection(power):
    rng = np.random.default_rng(7)
    x = rng.integers(1, 30, 2_000).astype(float)
    m, _ = gamma_gamma.simulate(PUBLISHED, rng, x, 0.0)

    fit = gamma_gamma.fit(x, m * x**power)

    assert fit.notes == ("spend_varies_with_frequency",)
    assert not set(fit.notes) & set(fit.flags)


def test_a_correlation_of_a_few_customers_is_chance():
    assert gamma_gamma.fit([1.0, 2.0, 3.0, 4.0], [10.0, 12.0, 30.0, 40.0]).notes == ()


def test_losses_are_noted():
    x, _, _, m = cdnow.sample()

    fit = gamma_gamma.fit(np.append(x, np.full(20, 2.0)), np.append(m, np.full(20, -5.0)))

    assert fit.notes == ("amounts_not_positive",)


def test_a_prior_holds_a_few_amounts():
    x, m = [1.0, 2.0, 1.0], [50.0, 40.0, 70.0]
    prior = GammaGamma(6.25, 3.74, 25.0)

    weak, firm = (gamma_gamma.fit(x, m, ridge=ridge, prior=prior).params for ridge in (0.5, 1e4))

    assert astuple(firm) == pytest.approx(astuple(prior), rel=1e-2)
    assert weak != firm
    assert gamma_gamma.fit([], [], prior=prior).params == prior


def test_simulated_customers_spend_what_the_model_expects():
    rng, x = np.random.default_rng(8), np.full(40_000, 4.0)

    m, later = gamma_gamma.simulate(PUBLISHED, rng, x, 3.0)

    assert m.mean() == pytest.approx(PUBLISHED.mean, rel=0.02)
    rows = (m > 30) & (m < 32)
    assert later[rows].mean() == pytest.approx(3 * gamma_gamma.expected_spend(PUBLISHED, 4, 31)[0], rel=0.05)
    fit = gamma_gamma.fit(x, m)
    assert np.all(
        np.abs(np.array(astuple(fit.params)) - astuple(PUBLISHED)) < 4 * np.array(fit.standard_errors)
    )


def test_nobody_spends_on_no_purchase():
    rng = np.random.default_rng(8)

    assert [column.tolist() for column in gamma_gamma.simulate(PUBLISHED, rng, [0, 0], [0, 0])] == [
        [0, 0],
        [0, 0],
    ]
    assert gamma_gamma.draw_spend(PUBLISHED, rng, [3, 0], [20, 0], [0, 0]).tolist() == [0, 0]


@pytest.mark.parametrize(("x", "m", "known"), [(4.0, 31.0, True), (0.0, 0.0, False), (4.0, -2.0, False)])
def test_drawn_spend_has_the_mean_and_square_of_the_known_customer(x, m, known):
    rng, steady = np.random.default_rng(9), GammaGamma(6.0, 9.0, 60.0)

    drawn = gamma_gamma.draw_spend(steady, rng, np.full(60_000, x), m, 2.0)

    mean = gamma_gamma.expected_spend(steady, x, m)[0]
    square = (4 * steady.p**2 + 2 * steady.p) * gamma_gamma.inverse_square(steady, x, m)[0]
    assert drawn.mean() == pytest.approx(2 * mean, rel=0.01)
    assert np.mean(drawn**2) == pytest.approx(square, rel=0.03)
    assert (mean == steady.mean) is not known


def test_a_variance_that_does_not_exist_is_replaced_by_a_large_one():
    found = gamma_gamma.inverse_square(GammaGamma(6.0, 1.5, 60.0), [0.0, 4.0], [0.0, 31.0])

    assert np.isfinite(found).all()
    assert found[0] > 10 * found[1]


def test_a_correlation_that_is_not_defined_is_none_at_all():
    assert gamma_gamma.frequency_correlation([1, 1, 1, 1], [1, 2, 3, 4]) == 0.0
    assert gamma_gamma.frequency_correlation([], []) == 0.0
