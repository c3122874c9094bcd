"""Which rows a model may see, and how equal rows are computed once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# rows a pass holds in the processor's cache; for sums of products over more BLAS would start threads
BLOCK = 8_192


def floats(*arrays: ArrayLike) -> tuple[Floats, ...]:
    """The arguments as float64 arrays of one common one-dimensional shape."""
    made = [np.atleast_1d(np.asarray(array, dtype=np.float64)) for array in arrays]
    return tuple(np.broadcast_arrays(*made))


def usable(x: Floats, t_x: Floats, T: Floats) -> NDArray[np.bool_]:
    """Rows a purchase history can have, shape (n,).

    x is a whole number >= 0, 0 <= t_x <= T, and t_x is 0 exactly where x is 0.
    """
    with np.errstate(invalid="ignore"):
        whole = (x >= 0) & (x == np.floor(x)) & np.isfinite(x)
        ordered = (t_x >= 0) & (t_x <= T) & np.isfinite(T)
        return whole & ordered & ((x == 0) == (t_x == 0))


def refuse(name: str, values: NDArray[Any], bad: NDArray[np.bool_], why: str) -> None:
    """Refuse an argument with bad entries and name the first of them.

    Raises:
        ValueError: such as "amounts[7] is not a finite number: nan".
    """
    if bad.any():
        place = int(np.argmax(bad))
        raise ValueError(f"{name}[{place}] {why}: {values[place]}")


@dataclass(frozen=True)
class Pairs:
    """The distinct (x, T) of some customers: what the future of a living customer depends on.

    ``x`` and ``T`` have one entry per distinct pair; ``index`` (n,) says which pair a customer is.
    A million customers have some 65,000 pairs at day resolution.
    """

    x: Floats
    T: Floats
    index: Ints

    def spread(self, values: Floats) -> Floats:
        """Values per pair to values per customer, shape (n,)."""
        return values[self.index]


def pairs(x: Floats, T: Floats) -> Pairs:
    """Gather the distinct (x, T), in order of x, then T."""
    width = int(T.max()) + 1 if _countable(T) else 0
    if width and _countable(x) and _tabular(int(x.max() + 1) * width, len(x)):
        found, index = distinct((x * width + T).astype(np.int64), int(x.max() + 1) * width)
        return Pairs(x=(found // width).astype(np.float64), T=(found % width).astype(np.float64), index=index)
    values, times = np.unique(x), np.unique(T)
    keys = np.searchsorted(values, x) * len(times) + np.searchsorted(times, T)
    found, index = distinct(keys, len(values) * len(times))
    return Pairs(x=values[found // max(len(times), 1)], T=times[found % max(len(times), 1)], index=index)


def distinct(keys: Ints, count: int) -> tuple[Ints, Ints]:
    """The distinct of whole numbers 0 <= key < count, rising, and which of them each key is.

    Without a sort where a table of all possible keys is not much larger than the keys.
    """
    if not _tabular(count, len(keys)):
        return np.unique(keys, return_inverse=True)
    seen = np.zeros(count, dtype=bool)
    seen[keys] = True
    found = np.flatnonzero(seen)
    place = np.empty(count, dtype=np.int64)
    place[found] = np.arange(len(found))
    return found, place[keys]


def histogram(x: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """The distinct x, rising, and the weights of each."""
    if _countable(x) and _tabular(int(x.max()), len(x)):
        places = x.astype(np.int64)
        found = np.flatnonzero(np.bincount(places))
        return found.astype(np.float64), np.bincount(places, weights)[found].astype(np.float64)
    levels, index = np.unique(x, return_inverse=True)
    return levels, np.bincount(index.reshape(-1), weights=weights).astype(np.float64)


def _countable(values: Floats) -> bool:
    """Whether there are any and all are whole, not negative and exact as floats."""
    return bool(
        len(values) and values.min() >= 0 and values.max() < 2**53 and np.all(values == np.floor(values))
    )


def _tabular(count: int, rows: int) -> bool:
    """Whether a table of so many entries is quicker than sorting the rows."""
    return count <= 8 * rows + 1_000_000


def dot(one: Floats, other: Floats) -> float:
    """Sum of products of two arrays (n,).

    Not by BLAS, which starts threads for 10,000 numbers or more: on a busy machine waiting for them
    takes a hundred times as long as the sum.
    """
    return float(np.einsum("i,i", one, other))


def rows_dot(matrix: Floats, vector: Floats) -> Floats:
    """Sum of products of each row (n, k) with a vector (k,), shape (n,); not by BLAS, see ``dot``."""
    return np.einsum("ij,j->i", matrix, vector)
