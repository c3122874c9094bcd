"""Gauss-Legendre rules on windows that differ from row to row, with as many nodes as a row needs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np

from ltv.core.arrays import Floats, Ints

ORDERS = (8, 10, 14, 20, 28, 40, 64, 96, 128)
# integrands are followed down to e^-DEPTH of their peak
DEPTH = 38.0
# numbers a block holds in the processor's cache
BLOCK = 16_384


@cache
def unit_rule(order: int) -> tuple[Floats, Floats]:
    """Nodes and weights of the rule with ``order`` nodes on (0, 1), shape (order, 1) each."""
    nodes, weights = np.polynomial.legendre.leggauss(order)
    nodes, weights = (nodes[:, None] + 1.0) / 2, weights[:, None] / 2
    nodes.flags.writeable = weights.flags.writeable = False
    return nodes, weights


def by_order(needed: Floats) -> Iterator[tuple[Ints, Floats, Floats]]:
    """Blocks of rows with the nodes and weights on (0, 1) of the smallest rule that is enough.

    ``needed`` (n,) is the number of nodes a row asks for; the largest rule serves all beyond it.
    Nodes and weights are columns: an integrand has shape (nodes, rows) and is summed over axis 0.
    """
    classes = np.searchsorted(ORDERS[:-1], needed)
    for at, order in enumerate(ORDERS):
        rows = np.flatnonzero(classes == at)
        size = BLOCK // order
        for first in range(0, len(rows), size):
            yield rows[first : first + size], *unit_rule(order)
