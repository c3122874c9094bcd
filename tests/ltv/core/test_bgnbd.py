from dataclasses import asdict, astuple

import numpy as np
import pytest

from ltv.core import bgnbd
from ltv.core.bgnbd import BgNbd
from tests.reference import cdnow, numerics

PUBLISHED = BgNbd(**cdnow.BG_PUBLISHED)


@pytest.fixture(scope="module")
def fit():
    x, t_x, T, _ = cdnow.sample()
    return bgnbd.fit(x, t_x, T)


def worked(*columns):
    return tuple(np.array(cdnow.WORKED, dtype=float)[:, column] for column in columns)


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


def test_p_alive_of_the_worked_customers():
    x, t_x, T, expected = worked(0, 1, 2, 3)

    assert bgnbd.p_alive(PUBLISHED, x, t_x, T) == pytest.approx(expected, rel=2e-5)


@pytest.mark.parametrize(("column", "weeks"), [(4, 39), (5, 52)])
def test_expected_purchases_of_the_worked_customers(column, weeks):
    x, t_x, T, expected = worked(0, 1, 2, column)

    assert bgnbd.expected_purchases(PUBLISHED, x, t_x, T, weeks) == pytest.approx(expected, rel=2e-5)


def test_expected_purchases_of_a_new_customer():
    weeks, expected = np.array(cdnow.NEW_CUSTOMER).T

    assert bgnbd.expected_purchases_new(PUBLISHED, weeks) == pytest.approx(expected, abs=1e-6)


def test_probabilities_of_counts_of_a_new_customer():
    assert bgnbd.pmf(PUBLISHED, 0, 39) == pytest.approx([0.5737863521], rel=1e-9)
    assert bgnbd.pmf(PUBLISHED, 10, 2) == pytest.approx([1.07868964e-7], rel=1e-7)
    assert bgnbd.pmf(PUBLISHED, np.arange(11, 21), 30) == pytest.approx(cdnow.PMF_30, rel=1e-6)


def test_probabilities_of_counts_sum_to_one_with_the_right_mean():
    n = np.arange(4000)

    p = bgnbd.pmf(PUBLISHED, n, 39)

    assert p.sum() == pytest.approx(1.0, abs=1e-9)
    assert p @ n == pytest.approx(1.196723, abs=1e-6)


def test_log_likelihoods_survive_two_hundred_purchases():
    x, t_x, T, expected, _ = np.array(numerics.LOG_LIKELIHOODS).T

    found = bgnbd.log_likelihood_each(BgNbd(*numerics.PARAMETERS), x, t_x, T)

    assert found == pytest.approx(expected, abs=1e-4)


def test_the_forecast_of_the_holdout_is_as_good_as_others_measured(fit):
    x, t_x, T, _ = cdnow.sample()
    actual = cdnow.bought_in_holdout()

    expected = bgnbd.expected_purchases(fit.params, x, t_x, T, 39)

    assert np.corrcoef(expected, actual)[0, 1] == pytest.approx(cdnow.HOLDOUT["correlation"], abs=1e-3)
    assert expected.sum() / actual.sum() - 1 == pytest.approx(cdnow.HOLDOUT["bias"], abs=1e-3)
    assert np.abs(expected - actual).mean() == pytest.approx(cdnow.HOLDOUT["mean_absolute_error"], abs=1e-3)


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
    x, t_x, T = worked(0, 1, 2)
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
