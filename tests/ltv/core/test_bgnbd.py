from dataclasses import asdict, astuple

import numpy as np
import pytest

from ltv.core import bgnbd
from ltv.core.bgnbd import BgNbd
from tests.reference import cdnow, numerics, worked

PUBLISHED = BgNbd(**cdnow.BG_PUBLISHED)


@pytest.fixture(scope="module")
def fit():
    x, t_x, T, _ = cdnow.sample()
    return bgnbd.fit(x, t_x, T)


def test_the_sample_has_2357_customers_and_946_repeaters(fit):
    assert (fit.customers, fit.repeaters, fit.rejected) == (2357, 946, 0)


def test_the_fit_finds_the_published_parameters(fit):
    rounded = {name: round(value, 3) for name, value in asdict(fit.params).items()}
    assert rounded == cdnow.BG_PUBLISHED
    assert asdict(fit.params) == pytest.approx(cdnow.BG_FULL, rel=2e-5)


def test_the_fit_finds_the_published_log_likelihood(fit):
    assert fit.log_likelihood == pytest.approx(cdnow.BG_LOG_LIKELIHOOD, abs=1e-3)


def test_standard_errors_are_those_of_other_programs(fit):
    assert fit.standard_errors == pytest.approx(cdnow.BG_STANDARD_ERRORS, rel=1e-3)


def test_a_clean_fit_has_no_objections(fit):
    assert fit.ok
    assert fit.flags == ()
    assert fit.iterations <= 10


def test_starting_at_yesterdays_parameters_ends_at_the_same_place_sooner(fit):
    x, t_x, T, _ = cdnow.sample()

    again = bgnbd.fit(x, t_x, T, start=fit.params)

    assert again.iterations <= 2
    assert astuple(again.params) == pytest.approx(astuple(fit.params), rel=1e-7)


def test_a_weak_ridge_hardly_moves_the_parameters(fit):
    x, t_x, T, _ = cdnow.sample()

    held = bgnbd.fit(x, t_x, T, ridge=0.05)

    assert astuple(held.params) == pytest.approx(astuple(fit.params), rel=1e-3)


def test_the_unit_of_time_changes_alpha_only(fit):
    x, t_x, T, _ = cdnow.sample()

    days = bgnbd.fit(x, t_x * 7, T * 7).params

    expected = (fit.params.r, fit.params.alpha * 7, fit.params.a, fit.params.b)
    assert astuple(days) == pytest.approx(expected, rel=1e-6)


def test_weights_count_equal_customers(fit):
    x, t_x, T, _ = cdnow.sample()
    rows, counts = np.unique(np.column_stack([x, t_x, T]), axis=0, return_counts=True)

    compressed = bgnbd.fit(*rows.T, weights=counts)

    assert len(rows) == 1016
    assert compressed.customers == 2357
    assert compressed.repeaters == 946
    assert astuple(compressed.params) == pytest.approx(astuple(fit.params), rel=1e-7)


def test_the_order_of_customers_does_not_matter(fit):
    x, t_x, T, _ = cdnow.sample()
    order = np.random.default_rng(1).permutation(len(x))

    shuffled = bgnbd.fit(x[order], t_x[order], T[order])

    assert astuple(shuffled.params) == pytest.approx(astuple(fit.params), rel=1e-9)


def test_the_fit_of_rounded_times_is_that_of_other_programs():
    fit = bgnbd.fit(*cdnow.rounded_sample())

    assert asdict(fit.params) == pytest.approx(cdnow.BG_ROUNDED_TIMES, rel=2e-5)
    assert fit.log_likelihood == pytest.approx(cdnow.BG_ROUNDED_TIMES_LOG_LIKELIHOOD, abs=1e-3)


def test_the_worked_customers():
    alive = bgnbd.p_alive(PUBLISHED, *worked.HISTORIES)
    next_39, next_52 = (bgnbd.expected_purchases(PUBLISHED, *worked.HISTORIES, weeks) for weeks in (39, 52))

    assert worked.agree(alive, worked.BG["p_alive"])
    assert worked.agree(next_39, worked.BG["next 39"])
    assert worked.agree(next_52, worked.BG["next 52"])


def test_customer_0001_of_the_papers_appendix():
    a1, a2, a3, a4 = worked.BG_EXCEL_0001

    found = bgnbd.log_likelihood_each(BgNbd(**cdnow.BG_FULL), 2, 30.43, 38.86)[0]

    assert found == pytest.approx(worked.BG_EXCEL_LL_0001, abs=0.005)
    assert found == pytest.approx(a1 + a2 + np.logaddexp(a3, a4), abs=0.002)


def test_expected_purchases_of_a_new_customer():
    assert worked.agree(bgnbd.expected_purchases_new(PUBLISHED, worked.NEW_WEEKS), worked.BG_NEW)


def test_expected_purchases_of_a_new_customer_in_a_spreadsheet():
    optimum = BgNbd(**cdnow.BG_FULL)

    assert worked.agree(bgnbd.expected_purchases_new(optimum, worked.BG_EXCEL_WEEKS), worked.BG_EXCEL_NEW)
    assert bgnbd.expected_purchases_new(optimum, 78) == pytest.approx(worked.BG_EXCEL_NEW_78, rel=2e-4)


def test_probabilities_of_counts_of_a_new_customer():
    for (n, weeks), printed in worked.BG_PMF.items():
        assert worked.agree(bgnbd.pmf(PUBLISHED, n, weeks), printed)
    assert worked.agree(bgnbd.pmf(PUBLISHED, np.arange(11, 21), 30), worked.BG_PMF_30)


def test_probabilities_of_counts_sum_to_one_with_the_right_mean():
    n = np.arange(4000)

    p = bgnbd.pmf(PUBLISHED, n, 39)

    assert p.sum() == pytest.approx(1.0, abs=1e-9)
    assert p @ n == pytest.approx(1.196723, abs=1e-6)


def test_log_likelihoods_survive_two_hundred_purchases():
    x, t_x, T, expected, _ = np.array(numerics.LOG_LIKELIHOODS).T

    found = bgnbd.log_likelihood_each(BgNbd(*numerics.PARAMETERS), x, t_x, T)

    assert found == pytest.approx(expected, abs=1e-4)


def test_a_customer_of_today_has_finite_predictions():
    today = ([0.0], [0.0], [0.0])

    assert bgnbd.expected_purchases(PUBLISHED, *today, 39) == pytest.approx([1.196723], abs=1e-6)
    assert bgnbd.p_no_purchase(PUBLISHED, *today, 39) == pytest.approx([0.5737863521], rel=1e-9)


def test_half_of_the_living_have_bought_within_the_median_wait():
    wait = bgnbd.next_purchase_wait(PUBLISHED, [7], [38.86])

    assert bgnbd.p_no_purchase(PUBLISHED, [7], [38.86], [38.86], wait[0]) == pytest.approx(
        1 - 0.5 * bgnbd.p_alive(PUBLISHED, [7], [38.86], [38.86]), rel=1e-9
    )


def test_a_quantile_is_the_first_count_that_reaches_its_level():
    x, t_x, T = worked.HISTORIES
    levels = (0.1, 0.5, 0.9, 0.99)

    found = bgnbd.purchase_quantiles(PUBLISHED, x, t_x, T, 39, levels)

    assert found.shape == (4, 8)
    for q, y in zip(levels, found, strict=True):
        assert np.all(at_most(x, t_x, T, y) >= q)
        assert np.all((y == 0) | (at_most(x, t_x, T, y - 1) < q))


def test_the_quantiles_of_a_very_heavy_buyer_are_found_by_bisection():
    x, t_x, T = np.array([400.0]), np.array([39.0]), np.array([39.0])

    for q, y in zip((0.5, 0.9), bgnbd.purchase_quantiles(PUBLISHED, x, t_x, T, 39, (0.5, 0.9)), strict=True):
        assert y[0] > 300
        assert at_most(x, t_x, T, y) >= q
        assert at_most(x, t_x, T, y - 1) < q


def at_most(x, t_x, T, y):
    """P(Y(39) <= y), summed from probabilities given alive with no recursion shared with the code."""
    from scipy.stats import betabinom, nbinom

    total = []
    for one_x, alive, at_T, most in zip(x, bgnbd.p_alive(PUBLISHED, x, t_x, T), T, y, strict=True):
        shape, z = PUBLISHED.r + one_x, 39 / (PUBLISHED.alpha + at_T + 39)
        stayed = betabinom(most, PUBLISHED.a, PUBLISHED.b + one_x).pmf(0)
        total.append(1 - alive * stayed * nbinom(shape, 1 - z).sf(most))
    return np.array(total)
