import numpy as np
import pytest

from ltv.core import measures


def both_orders(rng, customers=400):
    """Predictions with many ties, actuals, and the same customers in another order."""
    predicted = rng.integers(0, 6, customers).astype(float)
    actual = rng.poisson(0.3 + 0.4 * predicted).astype(float)
    order = rng.permutation(customers)
    return (predicted, actual), (predicted[order], actual[order])


def test_errors_of_four_customers():
    found = measures.accuracy([2.0, 1.0, 0.0, 1.0], [4.0, 1.0, 0.0, 0.0])

    assert (found.customers, found.predicted_total, found.actual_total) == (4, 4.0, 5.0)
    assert found.mae == 0.75
    assert found.rmse == pytest.approx(np.sqrt(5 / 4))
    assert found.bias == pytest.approx(-0.2)
    # errors -2, 0, 0, 1: variance 5/4 - 1/16, of four, over a total of 5
    assert found.bias_error == pytest.approx(np.sqrt(4 * (5 / 4 - 1 / 16)) / 5)
    assert found.correlation == pytest.approx(np.corrcoef([2, 1, 0, 1], [4, 1, 0, 0])[0, 1])


def test_the_perfect_order_has_a_gini_of_one_and_the_reverse_of_minus_one():
    actual = [5.0, 3.0, 1.0, 0.0]

    assert measures.accuracy([9.0, 8.0, 7.0, 6.0], actual).gini == pytest.approx(1.0)
    assert measures.accuracy([1.0, 2.0, 3.0, 4.0], actual).gini == pytest.approx(-1.0)


def test_the_gini_of_three_customers_by_hand():
    # in the predicted order 0, 2, 1 pile up as 0, 2, 3; in the perfect one as 2, 3, 3
    predicted = (2 * (0 + 2 + 3) / 3 - 3 - 1) / 3
    perfect = (2 * (2 + 3 + 3) / 3 - 3 - 1) / 3

    assert measures.accuracy([3.0, 2.0, 1.0], [0.0, 2.0, 1.0]).gini == pytest.approx(predicted / perfect)


def test_a_forecast_alike_for_all_knows_no_order():
    found = measures.accuracy(np.full(20, 0.5), np.arange(20.0))

    assert found.gini == pytest.approx(0.0, abs=1e-12)
    assert found.top_tenth == pytest.approx(0.1)
    assert found.correlation is None


def test_the_top_tenth_is_the_share_of_those_predicted_highest():
    predicted, actual = np.arange(20.0), np.ones(20)
    actual[-2:] = 6.0

    assert measures.accuracy(predicted, actual).top_tenth == pytest.approx(12 / 30)


def test_within_a_tie_everybody_counts_with_its_mean():
    predicted, actual = measures.ranked(np.array([1.0, 3.0, 1.0, 2.0]), np.array([4.0, 1.0, 0.0, 5.0]))

    assert predicted.tolist() == [3.0, 2.0, 1.0, 1.0]
    assert actual.tolist() == [1.0, 5.0, 2.0, 2.0]


def test_ties_count_as_the_mean_over_all_ways_to_break_them():
    rng = np.random.default_rng(1)
    (predicted, actual), _ = both_orders(rng, customers=60)

    found = measures.accuracy(predicted, actual)

    ways = [predicted + 1e-9 * rng.random(60) for _ in range(400)]
    broken = [measures.accuracy(way, actual) for way in ways]
    assert found.gini == pytest.approx(np.mean([way.gini for way in broken]), abs=0.01)
    assert found.top_tenth == pytest.approx(np.mean([way.top_tenth for way in broken]), abs=0.01)


def test_the_order_of_customers_does_not_matter():
    here, there = both_orders(np.random.default_rng(2))

    one, other = measures.accuracy(*here), measures.accuracy(*there)

    for name in ("mae", "rmse", "bias", "correlation", "gini", "top_tenth", "decile_error"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-12)
    assert one.deciles.actual == pytest.approx(other.deciles.actual)


def test_ten_groups_of_falling_prediction_larger_ones_first():
    predicted = np.arange(23.0)[::-1]

    found = measures.accuracy(predicted, predicted + 1.0).deciles

    assert found.customers == (3, 3, 3, 2, 2, 2, 2, 2, 2, 2)
    assert found.predicted[:4] == (21.0, 18.0, 15.0, 12.5)
    assert found.actual[:4] == (22.0, 19.0, 16.0, 13.5)


def test_the_decile_error_is_the_mean_distance_of_the_groups_over_the_mean():
    predicted = np.repeat(np.arange(10.0, 0.0, -1.0), 2)

    found = measures.accuracy(predicted, predicted + np.tile([3.0, -1.0], 10))

    # every group is 1 too low, the mean is 6.5
    assert found.decile_error == pytest.approx(1 / 6.5)


def test_fewer_than_ten_customers_are_a_group_each():
    found = measures.accuracy([3.0, 1.0, 2.0], [3.0, 0.0, 3.0])

    assert found.deciles == measures.Deciles((3.0, 2.0, 1.0), (3.0, 3.0, 0.0), (1, 1, 1))
    assert found.decile_error == pytest.approx((0 + 1 + 1) / 3 / 2)
    assert found.top_tenth == pytest.approx(0.5)


def test_nobody_has_no_measures():
    found = measures.accuracy([], [])

    assert (found.customers, found.predicted_total, found.actual_total) == (0, 0.0, 0.0)
    assert found.mae is found.rmse is found.bias is found.bias_error is found.gini is None
    assert found.correlation is found.top_tenth is found.decile_error is None
    assert found.deciles == measures.Deciles((), (), ())


def test_where_nothing_happened_shares_of_it_are_not_defined():
    found = measures.accuracy(np.arange(12.0), np.zeros(12))

    assert (found.mae, found.actual_total) == (5.5, 0.0)
    assert found.bias is found.bias_error is found.top_tenth is found.decile_error is None
    assert found.gini is found.correlation is None


def test_where_all_did_the_same_there_is_no_order_to_find():
    found = measures.accuracy(np.arange(12.0), np.full(12, 0.1))

    assert found.gini is found.correlation is None
    assert found.bias == pytest.approx(5.5 / 0.1 - 1)


def test_one_customer_has_no_correlation():
    assert measures.accuracy([1.0], [2.0]).correlation is None


def test_the_area_under_the_curve_counts_pairs():
    rng = np.random.default_rng(3)
    silent = rng.random(200) < 0.6
    risk = np.round(rng.random(200) + 0.3 * silent, 1)

    found = measures.silence(risk, silent)

    above, below = risk[silent][:, None], risk[~silent][None, :]
    assert found.auc == pytest.approx(((above > below) + 0.5 * (above == below)).mean(), rel=1e-12)
    assert found.share == silent.mean()
    assert found.brier == pytest.approx(np.mean([(p - s) ** 2 for p, s in zip(risk, silent, strict=True)]))


def test_the_brier_score_of_four_customers():
    found = measures.silence([1.0, 0.8, 0.5, 0.0], [True, False, True, False])

    assert found.brier == pytest.approx((0 + 0.64 + 0.25 + 0) / 4)
    assert found.auc == 0.75


def test_risks_are_held_against_silence_by_tenths():
    risk = np.repeat([0.9, 0.5, 0.1], [2, 4, 4])
    silent = np.array([True, True, True, True, False, False, False, False, False, True])

    found = measures.silence(risk, silent)

    assert found.deciles.predicted == pytest.approx(risk.tolist())
    assert found.deciles.actual == pytest.approx([1.0] * 2 + [0.5] * 4 + [0.25] * 4)
    assert measures.silence(-risk, silent, probability=False).deciles is None


def test_the_share_of_the_best_fifth():
    actual = np.array([50.0, 20, 10, 5, 5, 4, 3, 2, 1, 0])

    assert measures.accuracy(actual, actual).top_fifth == pytest.approx(0.7)
    assert measures.accuracy(actual, actual).top_tenth == pytest.approx(0.5)
    assert measures.accuracy([1.0, 2.0], [0.0, 0.0]).top_fifth is None


def test_a_risk_that_is_no_probability_is_judged_by_its_order_alone():
    found = measures.silence([-1.0, -7.0], [True, False], probability=False)

    assert (found.auc, found.brier) == (1.0, None)


@pytest.mark.parametrize("silent", [True, False])
def test_without_both_kinds_there_is_nothing_to_tell_apart(silent):
    found = measures.silence([0.2, 0.4], [silent, silent])

    assert found.auc is None
    assert found.share == float(silent)


def test_nobody_is_neither_silent_nor_not():
    assert measures.silence([], []) == measures.Silence(None, None, None)


def test_a_uniform_transform_fills_every_bar_alike():
    edges = np.linspace(0, 1, 11)

    found = measures.pit(edges[:-1], edges[1:])

    assert found.bars == pytest.approx((0.1,) * 10)
    assert found.ks == pytest.approx(0.0, abs=1e-12)


def test_the_transform_is_the_mean_of_the_randomised_one():
    rng = np.random.default_rng(4)
    below = rng.random(50)
    upto = below + rng.random(50) * (1.0 - below)

    found = measures.pit(below, upto)

    drawn = below + rng.random((20_000, 50)) * (upto - below)
    bars = np.histogram(drawn, bins=10, range=(0, 1))[0] / drawn.size
    assert found.bars == pytest.approx(bars, abs=0.002)


def test_the_distance_from_uniform_by_hand():
    # everybody in the lower half: by .5 everything has come where half should have
    assert measures.pit(np.zeros(4), np.full(4, 0.5)).ks == pytest.approx(0.5)
    # a single point at .25
    assert measures.pit([0.25], [0.25]).ks == pytest.approx(0.74, abs=0.0101)


def test_ranges_hold_whom_they_hold_ends_included():
    found = measures.ranges([0, 0, 2, 1], [2, 3, 4, 1], [2, 4, 3, 1], [0.5] * 4, [0.5] * 4)

    assert (found.nominal, found.held, found.width) == (0.8, 0.75, 1.75)


def test_coverage_splits_the_probability_of_the_ends():
    # at 80 % the scale is cut at .1 and .9: three quarters, all and none of these are inside
    found = measures.ranges([0] * 3, [1] * 3, [0, 1, 2], [0.0, 0.4, 0.95], [0.4, 0.9, 1.0])

    assert found.coverage == pytest.approx((0.75 + 1.0 + 0.0) / 3)


def test_a_right_forecast_covers_what_it_promises():
    rng = np.random.default_rng(5)
    below = np.zeros(20_000)
    upto = rng.random(20_000)
    zero = rng.random(20_000) < upto
    point = upto + rng.random(20_000) * (1.0 - upto)
    below, upto = np.where(zero, below, point), np.where(zero, upto, point)

    found = measures.ranges(0 * below, 0 * below, 0 * below, below, upto)

    assert found.coverage == pytest.approx(0.8, abs=0.01)
    assert measures.pit(below, upto).ks < 0.015


def test_nobody_is_held_by_no_range():
    assert measures.ranges([], [], [], [], []) == measures.Ranges(0.8, None, None, None)
    assert measures.pit([], []) == measures.Pit((), None)
