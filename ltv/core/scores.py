"""Where a customer stands among the buyers: tenths of a value, and the scores of recency, frequency and money.

RFM scores run from 1 to 5, 5 the best fifth, after Hughes, "Strategic Database Marketing" (1994). Fifths are made
independently of each other and equal customers get equal scores, so that fifths are of equal size only where
customers differ: with 40 % one-time buyers, frequency has no score of 1 (their middle rank lies in the second fifth).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.int16]
FIFTHS, TENTHS = 5, 10


def fifths(values: NDArray[Any]) -> Scores:
    """Score 1 to 5 of each value (n,), 5 the largest; equal values share the score of their middle rank."""
    if not len(values):
        return np.empty(0, dtype=np.int16)
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    sizes = np.diff(starts, append=len(values))
    found = np.empty(len(values), dtype=np.int16)
    found[order] = np.repeat(_score((starts + sizes / 2.0) / len(values)), sizes)
    return found


def fifths_of_counts(counts: NDArray[Any]) -> Scores:
    """The same of small whole numbers >= 0, such as days or purchases, without a sort."""
    if not len(counts):
        return np.empty(0, dtype=np.int16)
    sizes = np.bincount(counts)
    middle = np.cumsum(sizes) - sizes / 2.0
    return _score(middle / len(counts))[counts]


def _score(share_below: NDArray[Any]) -> Scores:
    """A rank as a share between 0 and 1 to its fifth."""
    return np.clip(np.ceil(FIFTHS * share_below), 1, FIFTHS).astype(np.int16)


def tenths(values: NDArray[Any]) -> Scores:
    """Tenth of each value (n,), 1 the largest values; of equal size to one, equal values in their order.

    As ``ntile(10) OVER (ORDER BY value DESC)`` of SQL: the first n mod 10 tenths have one more.
    """
    order = np.argsort(-values, kind="stable")
    size, longer = divmod(len(values), TENTHS)
    sizes = np.full(TENTHS, size) + (np.arange(TENTHS) < longer)
    found = np.empty(len(values), dtype=np.int16)
    found[order] = np.repeat(np.arange(1, TENTHS + 1), sizes)
    return found
