"""Seeded populations that follow the models exactly, to test the models against the truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ltv.core import gamma_gamma, models
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
    m, revenue = gamma_gamma.simulate(gg, rng, lives.x, lives.purchases)
    return Population(**vars(lives), m=m, revenue=revenue)
