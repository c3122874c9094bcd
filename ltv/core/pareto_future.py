"""The coming purchases of a Pareto/NBD customer known to be alive.

Rate of buying ~ Gamma(shape, rate), rate of leaving ~ Gamma(s, pace), independently. So

    E[Y] = shape pace / rate * integral over 0 < u < t/pace of (1 + u)^-s,

discounted by e^(-delta pace u) within the integral; the law of Y is in ``pareto_counts``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ltv.core import pareto_counts
from ltv.core.arrays import Floats, Ints
from ltv.core.discounting import NO_DISCOUNT, discounted_power
from ltv.core.dropout import log_left
from ltv.core.quantiles import of_counts


@dataclass(frozen=True)
class Living:
    """Posterior of living customers: arrays ``shape, rate, pace`` (n,) and one number ``s``."""

    shape: Floats
    rate: Floats
    s: float
    pace: Floats

    @property
    def purchases_per_pace(self) -> Floats:
        """What one would buy in a time of ``pace`` without leaving."""
        return self.shape * (self.pace / self.rate)


def expected(living: Living, t: float | Floats) -> Floats:
    """E[Y] within t, shape (n,); infinite for t = inf where s <= 1."""
    grown, e = np.log1p(t / living.pace), 1.0 - living.s
    return living.purchases_per_pace * (np.expm1(e * grown) / e if e else grown)


def discounted(living: Living, delta: float, horizon: float) -> Floats:
    """Expected purchases within the horizon, each discounted by e^(-delta t), shape (n,)."""
    if delta == 0.0 or delta * horizon < NO_DISCOUNT:
        return expected(living, horizon)
    stay = np.full_like(living.pace, living.s)
    return living.purchases_per_pace * discounted_power(stay, delta * living.pace, horizon / living.pace)


def silent(living: Living, t: float | Floats) -> Floats:
    """P(Y = 0) within t: stays and does not buy, or leaves before buying."""
    span = np.broadcast_to(t, living.rate.shape)
    stays = np.exp(-living.shape * np.log1p(t / living.rate) - living.s * np.log1p(t / living.pace))
    return stays + np.exp(log_left(living.shape, living.s, living.rate, living.pace, span))


def pmf(living: Living, y: Floats, t: Floats) -> Floats:
    """P(Y = y) within t, shape (n,)."""
    return pareto_counts.pmf(living.shape, living.s, living.rate, living.pace, t, y)


def exceeds(living: Living, t: float, y: Floats) -> Floats:
    """P(Y > y) within t, for y = 0, 1, 2, ..., shape (n,)."""
    span = np.full(len(living.rate), t)
    return pareto_counts.exceeds(living.shape, living.s, living.rate, living.pace, span, y)


def quantiles(living: Living, t: float, index: Ints, alive: Floats, levels: Sequence[float]) -> Floats:
    """Smallest y with 1 - alive P(Y > y) >= q for each level q, shape (len(levels), n).

    ``living`` holds the distinct posteriors and ``index`` says which one a customer has; ``alive``
    is each customer's own probability.
    """

    def tail(rows: Ints, y: Floats) -> Floats:
        return exceeds(Living(living.shape[rows], living.rate[rows], living.s, living.pace[rows]), t, y)

    return of_counts(tail, index, alive, levels)
