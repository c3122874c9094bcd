"""What a purchase day of each customer is worth, as a candidate of a backtest has learnt it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import betainc

from ltv.core import fallback, gamma_gamma
from ltv.core.arrays import Floats, Ints
from ltv.core.gamma_gamma import GammaGamma

# probability of still more purchase days at which a sum over their number ends
LEFT_OUT = 1e-5


@dataclass(frozen=True)
class Amounts:
    """Expected amount per purchase day, shape (n,), and what it was learnt from.

    days, spent: purchase days with an amount and their total, (n,); params: the gamma-gamma model
    behind it, None for a plain mean, which says nothing of chance.
    """

    mean: Floats
    days: Floats
    spent: Floats
    params: GammaGamma | None

    def part(self, rows: Ints) -> Amounts:
        return Amounts(self.mean[rows], self.days[rows], self.spent[rows], self.params)

    def law(self, exceeds: Callable[[Ints, float], Floats], spend: Floats) -> Floats:
        """P(S <= s) of the spend S in a horizon, for s > 0, shape (n,); 1 where s is 0.

        ``exceeds(rows, y)`` is P(Y > y) of the purchase days Y. With y of them S over
        gamma + spent ~ BetaPrime(p y, q + p days); summed over y to an absolute 1e-5.

        Raises:
            ValueError: a plain mean has no law.
        """
        if self.params is None:
            raise ValueError("A plain mean has no law.")
        gg, above = self.params, np.zeros(len(spend))
        rows = np.flatnonzero(spend > 0)
        scale = gg.gamma + self.spent[rows]
        share, shape = scale / (scale + spend[rows]), gg.q + gg.p * self.days[rows]
        more, y = exceeds(rows, 0.0), 1.0
        while len(rows):
            still = exceeds(rows, y)
            above[rows] += (more - still) * betainc(shape, gg.p * y, share)
            going = still > LEFT_OUT
            rows, share, shape, more = rows[going], share[going], shape[going], still[going]
            y += 1.0
        return 1.0 - np.minimum(above, 1.0)


def learn(days: Floats, mean: Floats) -> Amounts:
    """Learn from the mean amount of ``days`` purchase days, (n,) each.

    By gamma-gamma on the step of the ladder a night without a past would stand on, else the shrunken own mean.
    """
    params = fallback.climb_spending(days, mean).params
    known = gamma_gamma.spenders(days, mean)
    counted = np.where(known, days, 0.0)
    spent = np.where(known, days * mean, 0.0)
    if params is None:
        return Amounts(gamma_gamma.shrunken_spend(days, mean), counted, spent, None)
    return Amounts(gamma_gamma.expected_spend(params, days, mean), counted, spent, params)


def plain(mean: Floats) -> Amounts:
    """An amount somebody states; nothing is learnt about chance."""
    return Amounts(mean, np.zeros_like(mean), np.zeros_like(mean), None)
