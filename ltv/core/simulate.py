"""Seeded populations that follow the models exactly, to test the models against the truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ltv.core import models
from ltv.core.arrays import Floats
from ltv.core.gamma_gamma import GammaGamma
from ltv.core.lives import Lives


@dataclass(frozen=True)
class Population(Lives):
    """Lives with money, shape (n,) each.

    m: mean amount of the repeat purchase days up to T; revenue: spent in (T, T + horizon].
    """

    m: Floats
    revenue: Floats


def population(
    rng: np.random.Generator,
    params: Any,
    gg: GammaGamma,
    T: ArrayLike,
    horizon: float,
) -> Population:
    """Simulate customers observed for T (n,), in continuous time, and their next ``horizon``.

    ``params`` are those of any transaction model. Times are in their unit, money in that of
    ``gg``. The same generator state gives the same population.
    """
    lives = models.of(params).simulate(params, rng, T, horizon)
    inverse_scale = rng.gamma(gg.q, 1.0 / gg.gamma, len(lives.x))
    spent = _spend(rng, gg, lives.x, inverse_scale)
    return Population(
        **vars(lives),
        m=spent / np.maximum(lives.x, 1.0),
        revenue=_spend(rng, gg, lives.purchases, inverse_scale),
    )


def _spend(rng: np.random.Generator, gg: GammaGamma, count: Floats, inverse_scale: Floats) -> Floats:
    """Total of ``count`` purchases, exactly 0 for none."""
    total = rng.gamma(np.maximum(gg.p * count, 1e-3)) / inverse_scale
    return np.where(count > 0, total, 0.0)
