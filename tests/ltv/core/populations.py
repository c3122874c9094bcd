"""Simulated shops the core is judged on: parameters in days, money in a currency."""

from functools import cache

import numpy as np

from ltv.core import simulate
from ltv.core.bgnbd import BgNbd
from ltv.core.gamma_gamma import GammaGamma
from ltv.core.mbgnbd import MbgNbd
from ltv.core.paretonbd import ParetoNbd

BG = BgNbd(r=0.8, alpha=40.0, a=0.8, b=2.5)
MBG = MbgNbd(r=0.8, alpha=40.0, a=0.8, b=2.5)
PARETO = ParetoNbd(r=0.8, alpha=40.0, s=0.8, beta=150.0)
PARAMETERS = {"bgnbd": BG, "mbgnbd": MBG, "paretonbd": PARETO}
GG = GammaGamma(p=3.0, q=3.7, gamma=30.0)
HORIZON = 365.0


@cache
def shop(
    params: BgNbd | MbgNbd | ParetoNbd = BG, customers: int = 50_000, seed: int = 1
) -> simulate.Population:
    """Customers acquired evenly over the last 700 days, and their next year."""
    rng = np.random.default_rng(seed)
    return simulate.population(rng, params, GG, rng.uniform(1, 700, customers), HORIZON)
