"""Subscriptions: published numbers first, then fifty digits, then what must hold for any of them."""

from dataclasses import asdict, astuple

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from ltv.core import annuity, sbg
from ltv.core.sbg import Sbg
from tests.reference import subscriptions
from tests.reference.subscriptions import HIGH_END, REGULAR

ANY = settings(max_examples=50, deadline=None)
YEARS = np.arange(1, 13)
TARIFFS = pytest.mark.parametrize("tariff", [HIGH_END, REGULAR], ids=["high end", "regular"])

parameters = st.builds(Sbg, alpha=st.floats(0.01, 200), beta=st.floats(0.01, 1e5))
tenures = st.integers(0, 500)


def fitted(tariff):
    return sbg.fit(*sbg.from_survivors(subscriptions.survivors(tariff)))


@TARIFFS
def test_the_fit_finds_the_published_parameters(tariff):
    fit = fitted(tariff)

    assert fit.ok
    assert astuple(fit.params) == pytest.approx(tariff.published, abs=5e-4)
    assert astuple(fit.params) == pytest.approx((tariff.alpha, tariff.beta), abs=1e-5)
    assert fit.log_likelihood == pytest.approx(tariff.log_likelihood, abs=1e-3)
    assert fit.customers == 1_000
    assert fit.repeaters == round(10 * tariff.actual[0])


@TARIFFS
def test_survival_and_retention_are_those_of_the_published_tables(tariff):
    params = fitted(tariff).params

    assert np.round(100 * sbg.survival(params, YEARS), 2).tolist() == list(tariff.survival)
    assert np.round(sbg.retention(params, YEARS), 4).tolist() == list(tariff.retention)


@TARIFFS
def test_the_projection_misses_the_later_years_by_as_little_as_published(tariff):
    off = 100 * sbg.survival(fitted(tariff).params, YEARS) / np.array(tariff.actual) - 1

    assert off[11] == pytest.approx(tariff.year_12, abs=5e-4)
    assert np.abs(off[7:]).mean() == pytest.approx(tariff.mean_error, abs=5e-4)


@TARIFFS
def test_lifetimes_at_ten_per_cent_are_those_published(tariff):
    params = fitted(tariff).params

    assert sbg.discounted_lifetime(params, 0.1) == pytest.approx(tariff.lifetime, abs=5e-6)
    residual = sbg.residual_value(params, np.arange(5), 0.1)
    assert np.round(residual, 4).tolist() == list(tariff.residual_lifetimes)


def test_hundred_dollars_a_renewal_are_worth_what_was_published():
    made, dollars = np.array(subscriptions.RESIDUAL_VALUES).T

    values = 100 * sbg.residual_value(Sbg(*subscriptions.VALUED), made, 0.1)

    assert np.round(values).tolist() == dollars.tolist()


def test_where_all_leave_alike_the_value_is_that_of_one_retention_for_ever():
    r = subscriptions.CONSTANT_RETENTION
    alike = Sbg(alpha=(1 - r) * 1e9, beta=r * 1e9)

    values = 100 * sbg.residual_value(alike, [0, 1, 4], 0.1)

    assert values == pytest.approx(np.full(3, 100 * r * 1.1 / (1.1 - r)), rel=1e-6)
    assert np.round(values).tolist() == [subscriptions.CONSTANT_VALUE] * 3


# fifty digits


def exact_annuity(alpha, beta, d, horizon):
    mpmath.mp.dps = 60
    a, b, d = mpmath.mpf(alpha), mpmath.mpf(beta), mpmath.mpf(d)
    left = mpmath.beta(a, b + horizon) / mpmath.beta(a, b) if np.isfinite(horizon) else mpmath.mpf(0)
    if d == 0:
        return (a - 1 + b - (a - 1 + b + horizon) * left) / (a - 1) if left else (a + b - 1) / (a - 1)
    z = 1 / (1 + d)
    later = z**horizon * left * mpmath.hyp2f1(1, b + horizon, a + b + horizon, z) if left else 0
    return mpmath.hyp2f1(1, b, a + b, z) - later


def annuity_points(count):
    """Parameters over six decades, rates from 1e-14 and whole alphas among them."""
    rng = np.random.default_rng(4)
    for number in range(count):
        alpha, beta, d = 10 ** rng.uniform([-3, -3, -14], [2.5, 4, 1.5])
        if number % 5 == 0:
            alpha, d = float(rng.integers(2, 6)), 0.0 if number % 10 == 0 else d
        yield alpha, beta, d, float(rng.integers(1, 5_000)) if number % 3 else np.inf


def test_annuities_agree_with_the_hypergeometric_function():
    for alpha, beta, d, horizon in annuity_points(50):
        found = annuity.annuity(alpha, np.array([beta]), d, horizon)[0]

        exact = float(exact_annuity(alpha, beta, d, horizon))
        assert found == pytest.approx(exact, rel=1e-10), (alpha, beta, d, horizon)


def test_survival_agrees_with_fifty_digits():
    rng = np.random.default_rng(8)
    mpmath.mp.dps = 50
    for _ in range(300):
        alpha, beta = 10 ** rng.uniform([-4, -4], [3, 6])
        t, tenure = (float(int(number)) for number in 10 ** rng.uniform([0, 0], [6, 4]))
        stays = mpmath.mpf(beta) + tenure
        exact = mpmath.beta(alpha, stays + t) / mpmath.beta(alpha, stays)

        found = sbg.survival(Sbg(alpha, beta), t, tenure)[0]

        assert found == pytest.approx(float(exact), rel=1e-9, abs=1e-290)


# what must hold


@ANY
@given(parameters, tenures)
def test_the_chances_to_leave_and_to_stay_are_all_there_is(params, tenure):
    dates = np.arange(1, tenure + 1)

    gone = sbg.pmf(params, dates).sum() if tenure else 0.0

    assert gone + sbg.survival(params, tenure)[0] == pytest.approx(1.0, abs=1e-9)


@ANY
@given(parameters, tenures)
def test_the_longer_somebody_has_stayed_the_longer_he_will(params, tenure):
    now, later = sbg.residual_value(params, [tenure, tenure + 10], 0.05)

    assert now * (1 - 1e-10) <= later
    assert sbg.retention(params, tenure + 1) < sbg.retention(params, tenure + 11)


@ANY
@given(parameters, tenures, st.floats(0, 1), st.integers(0, 400))
def test_a_horizon_cuts_the_sum_of_discounted_survival(params, tenure, d, horizon):
    dates = np.arange(1, horizon + 1)
    terms = sbg.survival(params, dates, tenure) * (1 + d) ** (1.0 - dates) if horizon else np.zeros(1)

    value = sbg.residual_value(params, tenure, d, horizon)[0]

    assert value == pytest.approx(terms.sum(), rel=1e-9, abs=1e-300)
    if d > 1e-6:
        assert value <= sbg.residual_value(params, tenure, d)[0] * (1 + 1e-10)


@ANY
@given(parameters, tenures, st.integers(0, 300), st.sampled_from([0.05, 0.1, 0.5, 0.9, 0.95]))
def test_a_quantile_is_the_first_count_that_reaches_its_level(params, tenure, horizon, level):
    y = sbg.renewal_quantiles(params, tenure, horizon, [level])[0, 0]

    at_most = [1.0 - sbg.survival(params, count + 1, tenure)[0] for count in (y, y - 1) if count >= 0]
    assert y == horizon or at_most[0] >= level - 1e-9
    assert y == 0 or at_most[-1] <= level + 1e-9


def test_levels_and_subscribers_make_a_table():
    # S(t) = 1 / (1 + t) for the new ones
    table = sbg.renewal_quantiles(Sbg(1.0, 1.0), [0, 9, 0], 30, [0.5, 0.9])

    assert table.tolist() == [[0.0, 9.0, 0.0], [8.0, 30.0, 8.0]]


def test_expected_renewals_of_a_horizon():
    params = Sbg(1.0, 1.0)

    assert sbg.expected_renewals(params, [0, 1], 3) == pytest.approx(
        [1 / 2 + 1 / 3 + 1 / 4, 2 / 3 + 2 / 4 + 2 / 5]
    )
    assert sbg.expected_renewals(params, [0, 1], 0).tolist() == [0.0, 0.0]


def test_without_discount_a_lifetime_may_have_no_end():
    assert sbg.discounted_lifetime(Sbg(0.9, 3.0), 0.0) == np.inf
    assert sbg.discounted_lifetime(Sbg(1.0, 3.0), 0.0) == np.inf
    assert sbg.discounted_lifetime(Sbg(2.0, 3.0), 0.0) == 4.0
    assert sbg.residual_value(Sbg(0.9, 3.0), [0, 5], 0.0).tolist() == [np.inf, np.inf]


@pytest.mark.parametrize("d", [1e-15, 1e-100, 5e-324])
def test_a_discount_close_to_nothing_comes_close_to_none(d):
    assert sbg.discounted_lifetime(Sbg(3.0, 4.0), d) == pytest.approx(3.0, rel=1e-10)


@pytest.mark.parametrize("d", [1e-40, 1e-100, 1e-290])
def test_a_lifetime_without_end_grows_as_the_discount_vanishes(d):
    alpha, beta = 0.5, 4.0

    # the first term of an expansion in d, the next is smaller by a factor d^(1/2)
    limit = d ** (alpha - 1) * np.pi / np.sin(np.pi * alpha) / special.beta(alpha, beta)
    assert sbg.discounted_lifetime(Sbg(alpha, beta), d) == pytest.approx(limit, rel=1e-10)


def test_many_tenures_are_valued_block_by_block(monkeypatch):
    params, made = Sbg(0.7, 1.2), np.arange(40)
    whole = sbg.residual_value(params, made, 0.1)

    monkeypatch.setattr(annuity, "CELLS", 1_000)

    assert sbg.residual_value(params, made, 0.1) == pytest.approx(whole, rel=1e-12)


# fitting


def test_a_fit_finds_the_parameters_subscribers_were_simulated_with():
    params = Sbg(0.7, 1.8)
    rng = np.random.default_rng(2)
    people = sbg.simulate(params, rng, rng.integers(1, 40, 30_000), 12)

    fit = sbg.fit(people.tenure, people.churned)

    off = (np.array(astuple(fit.params)) - astuple(params)) / fit.standard_errors
    assert fit.ok
    assert np.abs(off).max() < 3.5
    assert astuple(fit.params) == pytest.approx(astuple(params), rel=0.05)


def test_simulated_subscribers_renew_as_often_as_expected_and_within_their_ranges():
    params = Sbg(0.7, 1.8)
    rng = np.random.default_rng(3)
    people = sbg.simulate(params, rng, rng.integers(0, 30, 40_000), 24)
    here = ~people.churned
    tenure, renewals = people.tenure[here], people.renewals[here]

    expected = sbg.expected_renewals(params, tenure, 24)
    median = sbg.renewal_quantiles(params, tenure, 24, [0.3])[0]
    below = 1.0 - sbg.survival(params, median + 1, tenure)

    assert renewals.mean() == pytest.approx(expected.mean(), rel=0.01)
    inside = median < 24
    assert (renewals <= median)[inside].mean() == pytest.approx(below[inside].mean(), abs=0.01)
    assert not people.renewals[people.churned].any()


def test_the_same_seed_gives_the_same_subscribers():
    first, second = (
        sbg.simulate(Sbg(1.0, 2.0), np.random.default_rng(9), np.full(200, 12), 6) for _ in range(2)
    )

    assert first.tenure.tolist() == second.tenure.tolist()
    assert first.renewals.tolist() == second.renewals.tolist()


def test_weights_count_equal_subscribers_and_the_start_changes_nothing():
    tenure, churned, weights = sbg.from_survivors(subscriptions.survivors(REGULAR))
    counts = weights.astype(int)

    one_by_one = sbg.fit(np.repeat(tenure, counts), np.repeat(churned, counts), start=Sbg(5.0, 0.2))

    fit = fitted(REGULAR)
    assert astuple(one_by_one.params) == pytest.approx(astuple(fit.params), rel=1e-7)
    assert one_by_one.customers == fit.customers
    assert one_by_one.repeaters == fit.repeaters


def test_the_likelihood_is_the_product_of_the_chances():
    params = Sbg(0.8, 2.5)

    value = sbg.log_likelihood(params, [1, 3, 4, 0], [1, 1, 0, 0], [2, 1, 3, 5])

    chances = np.array([*sbg.pmf(params, [1, 3]), *sbg.survival(params, [4, 0])])
    assert value == pytest.approx(float(np.log(chances) @ [2, 1, 3, 5]), rel=1e-12)


def test_a_strong_prior_holds_a_fit():
    prior = Sbg(1.5, 6.0)

    held = sbg.fit([1, 2, 5], [1, 0, 0], ridge=1e6, prior=prior)

    assert astuple(held.params) == pytest.approx(astuple(prior), rel=1e-3)


def test_impossible_rows_are_left_out_and_counted():
    rows = sbg.from_survivors(subscriptions.survivors(HIGH_END))
    bad_tenure = [-1, 2.5, np.nan, np.inf, 0, 3, 1e9, 2]
    bad_churned = [0, 0, 0, 0, 1, 0.5, 0, 1]
    bad_weights = [1, 1, 1, 1, 1, 1, 1, 0]
    mixed = [
        np.append(good, bad) for good, bad in zip(rows, (bad_tenure, bad_churned, bad_weights), strict=True)
    ]

    fit = sbg.fit(*mixed)

    assert astuple(fit.params) == pytest.approx((HIGH_END.alpha, HIGH_END.beta), abs=1e-5)
    assert fit.rejected == 8
    assert fit.flags == ("impossible_rows",)
    assert sbg.log_likelihood(fit.params, *mixed) == pytest.approx(fit.log_likelihood)


@pytest.mark.parametrize(
    ("tenure", "churned", "flag"),
    [
        ([5, 6, 7], [0, 0, 0], "nobody_left"),
        ([1, 1, 1], [1, 1, 0], "one_renewal_date"),
        ([1, 1, 1], [1, 1, 1], "one_renewal_date"),
        ([0, 0], [0, 0], "nothing_observed"),
        ([], [], "nothing_observed"),
        ([3] * 50, [1] * 50, "alpha_at_bound"),
    ],
)
def test_data_that_cannot_tell_two_parameters_are_flagged(tenure, churned, flag):
    fit = sbg.fit(tenure, churned)

    assert flag in fit.flags
    assert not fit.ok
    assert np.isfinite(list(asdict(fit.params).values())).all()
    assert not np.isnan(fit.standard_errors).any()


# refusals


@pytest.mark.parametrize("counts", [[100, 90, 95], [10, -1], [], [5, np.nan]])
def test_a_cohort_that_grows_is_refused(counts):
    with pytest.raises(ValueError, match="only become fewer"):
        sbg.from_survivors(counts)


@pytest.mark.parametrize("count", [-1, 1.5, np.nan, np.inf])
def test_renewal_dates_are_whole_numbers(count):
    params = Sbg(1.0, 1.0)

    for refused in (
        lambda: sbg.survival(params, count),
        lambda: sbg.survival(params, 1, count),
        lambda: sbg.pmf(params, count),
        lambda: sbg.expected_renewals(params, count, 3),
        lambda: sbg.renewal_quantiles(params, [1], count, [0.5]),
        lambda: sbg.simulate(params, np.random.default_rng(1), [count], 3),
    ):
        with pytest.raises(ValueError, match="whole numbers"):
            refused()


def test_no_renewal_date_comes_before_the_first():
    with pytest.raises(ValueError, match="number 1"):
        sbg.retention(Sbg(1.0, 1.0), [1, 0])


@pytest.mark.parametrize("d", [-0.01, np.nan])
def test_a_negative_discount_is_refused(d):
    with pytest.raises(ValueError, match="discount rate"):
        sbg.discounted_lifetime(Sbg(1.0, 1.0), d)


@pytest.mark.parametrize("horizon", [2.5, -1, np.nan, -np.inf])
def test_a_horizon_of_part_of_a_date_is_refused(horizon):
    with pytest.raises(ValueError, match="whole numbers"):
        sbg.residual_value(Sbg(1.0, 1.0), [0], 0.1, horizon)


@pytest.mark.parametrize("level", [0.0, 1.0, np.nan])
def test_quantiles_lie_between_nothing_and_certainty(level):
    with pytest.raises(ValueError, match="Levels"):
        sbg.renewal_quantiles(Sbg(1.0, 1.0), [0], 5, [level])
