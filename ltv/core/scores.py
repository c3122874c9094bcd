"""Where a customer stands among the buyers: tenths of a value, and the scores of recency, frequency and money.

RFM scores run from 1 to 5, 5 the best fifth, after Hughes, "Strategic Database Marketing" (1994). Fifths are made
independently of each other and equal customers get equal scores, so that fifths are of equal size only where
customers differ: with 40 % one-time buyers, frequency has no score of 1 (their middle rank lies in the second fifth).

Where customers are scored apart from each other, edges found once from all of them say the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.int16]
FIFTHS, TENTHS = 5, 10
NOTHING = -(2**63)  # below whatever is scored


def fifths(values: NDArray[Any]) -> Scores:
    """Score 1 to 5 of each whole number (n,), 5 the largest; equal ones share the score of their middle rank."""
    return by_fifth_edges(values, fifth_edges(values))


def _score(share_below: NDArray[Any]) -> Scores:
    """A rank as a share between 0 and 1 to its fifth."""
    return np.clip(np.ceil(FIFTHS * share_below), 1, FIFTHS).astype(np.int16)


def tenths(values: NDArray[Any]) -> Scores:
    """Tenth of each value (n,), 1 the largest values; of equal size to one, equal values in their order.

    As ``ntile(10) OVER (ORDER BY value DESC)`` of SQL: the first n mod 10 tenths have one more.
    """
    found = np.empty(len(values), dtype=np.int16)
    found[np.argsort(-values, kind="stable")] = np.repeat(np.arange(1, TENTHS + 1), _sizes(len(values)))
    return found


def _sizes(count: int) -> NDArray[np.int64]:
    size, longer = divmod(count, TENTHS)
    return np.full(TENTHS, size) + (np.arange(TENTHS) < longer)


def fifth_edges(values: NDArray[Any]) -> list[int]:
    """Of whole numbers (n,), the largest one with each score of ``fifths`` but the best; NOTHING where none has it."""
    if not len(values):
        return [NOTHING] * (FIFTHS - 1)
    ordered = np.sort(values)
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    sizes = np.diff(starts, append=len(values))
    scores = _score((starts + sizes / 2.0) / len(values))  # of the distinct numbers: they rise with them
    upto = np.searchsorted(scores, np.arange(1, FIFTHS), side="right")
    return [int(ordered[starts[place - 1]]) if place else NOTHING for place in upto]


def by_fifth_edges(values: NDArray[Any], edges: Sequence[int]) -> Scores:
    """The scores of some of the values that the edges were found from."""
    return (1 + np.searchsorted(np.array(edges, dtype=np.int64), values, side="left")).astype(np.int16)


def tenth_edges(values: NDArray[Any], ids: NDArray[Any]) -> list[tuple[int, int]]:
    """The last one of each tenth but the worst, by value and id; equal whole numbers are in order of id."""
    if not len(values):
        return []
    ranks = np.maximum(np.cumsum(_sizes(len(values)))[:-1] - 1, 0)
    last = -np.partition(-values, ranks)[ranks]
    return [_at_rank(values, ids, int(rank), int(value)) for rank, value in zip(ranks, last, strict=True)]


def _at_rank(values: NDArray[Any], ids: NDArray[Any], rank: int, value: int) -> tuple[int, int]:
    """Value and id of the one with so many before it, the largest first, which has this value."""
    equal = np.sort(ids[values == value])
    return value, int(equal[rank - np.count_nonzero(values > value)])


def by_tenth_edges(values: NDArray[Any], ids: NDArray[Any], edges: Sequence[tuple[int, int]]) -> Scores:
    """The tenths of some of the values that the edges were found from."""
    found = np.ones(len(values), dtype=np.int16)
    for value, last in edges:
        found += (values < value) | ((values == value) & (ids > last))
    return found
