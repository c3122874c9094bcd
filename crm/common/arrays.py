"""Looking up many numbers among many, in numpy."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def places(among: NDArray[Any], wanted: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Where each wanted number is in a rising array, and whether it is there at all; (wanted,) each."""
    at = np.minimum(np.searchsorted(among, wanted), max(len(among) - 1, 0))
    return at, (among[at] == wanted) if len(among) else np.zeros(len(wanted), dtype=bool)
