"""Scores and tenths: where a customer stands among the buyers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltv.core import scores

COUNTS = st.lists(st.integers(0, 40), min_size=1, max_size=200).map(np.array)


def test_ten_different_customers_are_two_to_a_fifth_the_largest_with_five():
    values = np.array([70, 10, 90, 30, 50, 20, 80, 40, 100, 60])

    assert list(scores.fifths(values)) == [4, 1, 5, 2, 3, 1, 4, 2, 5, 3]


def test_equal_customers_get_equal_scores_that_of_their_middle_rank():
    assert list(scores.fifths(np.array([0, 0, 0, 0, 7]))) == [
        2,
        2,
        2,
        2,
        5,
    ]  # middle rank 2 of 5: the second fifth


@given(COUNTS)
def test_fifths_are_those_of_the_middle_ranks(counts):
    below = np.array([np.sum(counts < one) for one in counts])
    middle = below + np.array([np.sum(counts == one) for one in counts]) / 2

    assert np.array_equal(scores.fifths(counts), np.clip(np.ceil(5 * (middle / len(counts))), 1, 5))


@given(COUNTS)
def test_more_is_never_scored_less(counts):
    order = np.argsort(counts)

    assert np.all(np.diff(scores.fifths(counts)[order]) >= 0)


@given(COUNTS)
def test_tenths_are_those_of_sql(counts):
    """ntile(10): as many in each as can be, the first ones one more, the largest value in the first."""
    found = scores.tenths(counts)

    sizes = np.bincount(found, minlength=11)[1:]
    assert sizes.max() - sizes.min() <= 1
    assert np.all(np.diff(sizes) <= 0)
    assert np.all(np.diff(found[np.argsort(-counts, kind="stable")]) >= 0)


@given(COUNTS, st.randoms())
def test_edges_found_from_all_score_each_as_among_all(counts, chance):
    ids = np.array(chance.sample(range(1_000), len(counts)), dtype=np.int64)
    order = np.argsort(ids)
    among_all = np.empty(len(counts), dtype=np.int16)
    among_all[order] = scores.tenths(counts[order])
    fifths = scores.fifths(counts)
    fifth_edges, tenth_edges = scores.fifth_edges(counts), scores.tenth_edges(counts, ids)

    for here in np.array_split(np.arange(len(counts)), 3):
        assert np.array_equal(scores.by_fifth_edges(counts[here], fifth_edges), fifths[here])
        assert np.array_equal(scores.by_tenth_edges(counts[here], ids[here], tenth_edges), among_all[here])


@pytest.mark.parametrize("scored", [scores.fifths, scores.tenths])
def test_nobody_is_nothing(scored):
    assert len(scored(np.empty(0, dtype=np.int64))) == 0
