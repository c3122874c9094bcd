from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ltv.core import sbg, survival
from tests.reference import survival as remission

TREATED = survival.kaplan_meier(remission.TREATED, remission.RELAPSED)
PLACEBO = survival.kaplan_meier(remission.PLACEBO, np.ones(21))

rows = st.lists(st.tuples(st.integers(0, 12), st.booleans(), st.integers(1, 4)), min_size=1, max_size=40)


def test_the_curve_of_the_treated_is_the_published_one():
    weeks, at_risk, relapsed, share, error, low, high = np.array(remission.TREATED_CURVE).T

    assert TREATED.times.tolist() == weeks.tolist()
    assert TREATED.at_risk.tolist() == at_risk.tolist()
    assert TREATED.left.tolist() == relapsed.tolist()
    # .6275 was printed as .627
    assert TREATED.survival == pytest.approx(share, abs=6e-4)
    assert np.round(np.sqrt(TREATED.variance), 4).tolist() == error.tolist()
    assert TREATED.low == pytest.approx(low, abs=6e-4)
    assert TREATED.high == pytest.approx(high, abs=6e-4)


def test_medians_and_means_are_those_published():
    assert survival.median(TREATED) == remission.TREATED_MEDIAN
    assert survival.median(PLACEBO) == remission.PLACEBO_MEDIAN
    assert survival.restricted_mean(TREATED, 35) == pytest.approx(remission.TREATED_MEAN, abs=0.005)
    assert survival.restricted_mean(PLACEBO, 23) == pytest.approx(remission.PLACEBO_MEAN, abs=0.0005)


def test_beyond_week_ten_the_placebo_group_is_as_published():
    share = survival.survival_at(PLACEBO, 10)[0]
    error = np.sqrt(PLACEBO.variance[PLACEBO.times <= 10][-1])

    assert (share, error) == pytest.approx(remission.PLACEBO_BEYOND_10, abs=5e-4)


def by_hand(people):
    """time -> (S, Greenwood's variance) in exact fractions, one customer after the other."""
    everybody = [(tenure, left) for tenure, left, count in people for _ in range(count)]
    share, relative, curve = Fraction(1), Fraction(0), {}
    for time in sorted({tenure for tenure, left in everybody if left}):
        at_risk = sum(tenure >= time for tenure, _ in everybody)
        gone = sum(tenure == time and left for tenure, left in everybody)
        share *= 1 - Fraction(gone, at_risk)
        relative += Fraction(gone, at_risk * (at_risk - gone)) if at_risk > gone else 0
        curve[time] = (share, share**2 * relative)
    return curve


@settings(max_examples=60, deadline=None)
@given(rows)
def test_any_curve_is_the_one_counted_by_hand(people):
    tenure, left, count = zip(*people, strict=True)
    expected = by_hand(people)

    curve = survival.kaplan_meier(tenure, left, count)

    assert curve.times.tolist() == list(expected)
    assert curve.survival == pytest.approx([float(share) for share, _ in expected.values()], abs=1e-12)
    assert curve.variance == pytest.approx([float(variance) for _, variance in expected.values()], abs=1e-12)
    assert curve.customers == sum(count)
    assert np.all((curve.low >= 0) & (curve.low <= curve.survival) & (curve.survival <= curve.high))
    assert np.all(curve.high <= 1)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=60))
def test_without_censoring_the_curve_is_the_share_still_there(tenures):
    times = np.arange(31)
    share = np.array([np.mean(np.array(tenures) > time) for time in times])

    curve = survival.kaplan_meier(tenures, np.ones(len(tenures)))

    assert survival.survival_at(curve, times) == pytest.approx(share, abs=1e-12)
    share = survival.survival_at(curve, curve.times)
    assert curve.variance == pytest.approx(share * (1 - share) / len(tenures), abs=1e-12)
    mean, error = survival.restricted_mean(curve, 30)
    assert mean == pytest.approx(np.mean(tenures))
    assert error == pytest.approx(np.std(tenures) / np.sqrt(len(tenures)))


def test_the_curve_finds_the_survival_subscribers_were_simulated_with():
    params = sbg.Sbg(0.8, 2.0)
    rng = np.random.default_rng(5)
    people = sbg.simulate(params, rng, rng.integers(5, 40, 20_000), 0)

    curve = survival.kaplan_meier(people.tenure, people.churned, confidence=0.999)

    dates = curve.times[:12]
    truth = sbg.survival(params, dates)
    assert np.all((curve.low[:12] <= truth) & (truth <= curve.high[:12]))


def test_a_wider_interval_holds_the_truth_more_often():
    wide = survival.kaplan_meier(remission.TREATED, remission.RELAPSED, confidence=0.99)

    assert np.all(wide.low < TREATED.low)
    assert np.all(TREATED.high < wide.high)


def test_where_nobody_is_left_the_interval_is_that_of_the_step_before():
    assert (PLACEBO.low[-1], PLACEBO.survival[-1], PLACEBO.variance[-1]) == (0.0, 0.0, 0.0)
    assert PLACEBO.high[-1] == PLACEBO.high[-2] < 1.0
    at_once = survival.kaplan_meier([4, 4], [1, 1])
    assert (at_once.low[0], at_once.survival[0], at_once.high[0]) == (0.0, 0.0, 1.0)


def test_the_curve_says_nothing_of_times_nobody_was_followed():
    assert survival.survival_at(TREATED, [0, 5.9, 6, 35]) == pytest.approx([1, 1, 6 / 7, 0.4482], abs=1e-4)
    assert np.isnan(survival.survival_at(TREATED, 35.5)).all()
    with pytest.raises(ValueError, match="followed until 36, the longest was 35"):
        survival.restricted_mean(TREATED, 36)


def test_where_all_have_left_it_is_known_for_ever():
    assert survival.survival_at(PLACEBO, 1_000).tolist() == [0.0]
    assert survival.restricted_mean(PLACEBO, 1_000) == survival.restricted_mean(PLACEBO, 23)


def test_nobody_gives_no_curve():
    curve = survival.kaplan_meier([], [])

    assert curve.times.tolist() == []
    assert survival.median(curve) == (np.inf, np.inf, np.inf)
    assert survival.restricted_mean(curve, 0) == (0.0, 0.0)


def test_impossible_rows_are_left_out_and_counted():
    curve = survival.kaplan_meier(
        [*remission.TREATED, -1, np.nan, np.inf, 3, 3], [*remission.RELAPSED, 1, 1, 0, 0.5, 1],
        [*np.ones(25), 0],
    )  # fmt: skip

    assert curve.rejected == 5
    assert curve.survival.tolist() == TREATED.survival.tolist()


@pytest.mark.parametrize("confidence", [0, 1, np.nan])
def test_a_confidence_of_certainty_is_refused(confidence):
    with pytest.raises(ValueError, match="between 0 and 1"):
        survival.kaplan_meier([1], [1], confidence=confidence)


def test_negative_times_are_refused():
    with pytest.raises(ValueError, match="negative"):
        survival.survival_at(TREATED, -1)
    with pytest.raises(ValueError, match="0 or more"):
        survival.restricted_mean(TREATED, -1)
