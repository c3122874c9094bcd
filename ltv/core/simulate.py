"""Seeded populations that follow the models exactly, to test the models against the truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ltv.core.arrays import Floats
from ltv.core.beta_geometric import BetaGeometric
from ltv.core.gamma_gamma import GammaGamma


@dataclass(frozen=True)
class Population:
    """What was seen up to T (x, t_x, T, m) and what is true: shape (n,) each.

    alive: still a customer at T; purchases, revenue: made in (T, T + horizon].
    """

    x: Floats
    t_x: Floats
    T: Floats
    m: Floats
    alive: NDArray[np.bool_]
    purchases: Floats
    revenue: Floats


def population(
    rng: np.random.Generator,
    params: BetaGeometric,
    gg: GammaGamma,
    T: ArrayLike,
    horizon: float,
) -> Population:
    """Simulate customers observed for T (n,), in continuous time, and their next ``horizon``.

    Times are in the unit of ``params``, money in that of ``gg``. The same generator state gives
    the same population.
    """
    T = np.asarray(T, dtype=np.float64)
    n = len(T)
    rate = rng.gamma(params.r, 1.0 / params.alpha, n)
    leaves = np.clip(rng.beta(params.a, params.b, n), 1e-12, 1.0)
    # the repeat purchase after which the customer leaves; 0 is the first purchase of all
    last = rng.geometric(leaves).astype(np.float64) - params.chances
    wished = rng.poisson(rate * T).astype(np.float64)
    x = np.minimum(wished, last)
    alive = wished < last
    # purchase times are uniform: the x-th of `wished` is a beta-distributed share of T
    share = rng.beta(np.maximum(x, 1.0), wished - x + 1.0)
    purchases = np.where(alive, np.minimum(rng.poisson(rate * horizon), last - wished), 0.0)
    inverse_scale = rng.gamma(gg.q, 1.0 / gg.gamma, n)
    spent = _spend(rng, gg, x, inverse_scale)
    return Population(
        x=x,
        t_x=np.where(x > 0, share * T, 0.0),
        T=T,
        m=spent / np.maximum(x, 1.0),
        alive=alive,
        purchases=purchases,
        revenue=_spend(rng, gg, purchases, inverse_scale),
    )


def _spend(rng: np.random.Generator, gg: GammaGamma, count: Floats, inverse_scale: Floats) -> Floats:
    """Total of ``count`` purchases, exactly 0 for none."""
    total = rng.gamma(np.maximum(gg.p * count, 1e-3)) / inverse_scale
    return np.where(count > 0, total, 0.0)
