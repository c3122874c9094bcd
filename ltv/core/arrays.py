"""Which rows a model may see, and how equal rows are computed once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


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
    """Gather the distinct (x, T), by one sort of complex keys."""
    both = np.empty(len(x), dtype=np.complex128)
    both.real, both.imag = x, T
    keys, index = np.unique(both, return_inverse=True)
    return Pairs(x=keys.real.copy(), T=keys.imag.copy(), index=index.reshape(-1))
