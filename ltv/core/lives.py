"""What simulated customers did, and what only a simulation knows of them."""

from __future__ import annotations

from dataclasses import dataclass

from numpy import bool_
from numpy.typing import NDArray

from ltv.core.arrays import Floats


@dataclass(frozen=True)
class Lives:
    """What was seen up to T (x, t_x, T) and what is true: shape (n,) each.

    alive: still a customer at T; purchases: purchase days in (T, T + horizon].
    """

    x: Floats
    t_x: Floats
    T: Floats
    alive: NDArray[bool_]
    purchases: Floats
