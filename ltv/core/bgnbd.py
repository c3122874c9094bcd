"""BG/NBD: buys at random while alive, may leave after each repeat purchase.

``x, t_x, T`` as in ``ltv.core``, each of shape (n,), time in the unit of the fit. One-time buyers
are alive with probability 1 under this model; for churn see ``mbgnbd`` and ``p_no_purchase``.

Source: Fader, Hardie & Lee (2005), Marketing Science 24(2), 275-284.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from numpy.typing import ArrayLike

from ltv.core.beta_geometric import (
    BetaGeometric,
    exceeds,
    expected_purchases,
    expected_purchases_new,
    fit_model,
    log_likelihood,
    log_likelihood_each,
    next_purchase_wait,
    p_alive,
    p_no_purchase,
    pmf,
    purchase_quantiles,
    residual_value,
    simulate,
)
from ltv.core.fitting import Fit

__all__ = [
    "BgNbd",
    "Params",
    "exceeds",
    "expected_purchases",
    "expected_purchases_new",
    "fit",
    "log_likelihood",
    "log_likelihood_each",
    "next_purchase_wait",
    "p_alive",
    "p_no_purchase",
    "pmf",
    "purchase_quantiles",
    "residual_value",
    "simulate",
]


@dataclass(frozen=True)
class BgNbd(BetaGeometric):
    """Parameters of BG/NBD; alpha is in the unit of time of the data."""

    chances: ClassVar[int] = 0


Params = BgNbd


def fit(
    x: ArrayLike,
    t_x: ArrayLike,
    T: ArrayLike,
    weights: ArrayLike | None = None,
    start: BgNbd | None = None,
    ridge: float = 0.0,
    prior: BgNbd | None = None,
    settled: float = 0.0,
) -> Fit[BgNbd]:
    """Maximum likelihood estimates, see ``fitting.fit_histories``."""
    return fit_model(BgNbd, x, t_x, T, weights, start, ridge, prior, settled)
