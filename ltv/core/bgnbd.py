"""BG/NBD: buys at random while alive, may leave after each repeat purchase.

``x, t_x, T`` as in ``ltv.core``, each of shape (n,), time in the unit of the fit. One-time buyers
are alive with probability 1 under this model; for churn see ``mbgnbd`` and ``p_no_purchase``.

Source: Fader, Hardie & Lee (2005), Marketing Science 24(2), 275-284.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from ltv.core.beta_geometric import (
    BetaGeometric,
    expected_purchases,
    expected_purchases_new,
    fit_model,
    log_likelihood,
    log_likelihood_each,
    next_purchase_wait,
    p_alive,
    p_no_purchase,
    pmf,
    purchases_interval,
    purchases_quantile,
)

__all__ = [
    "BgNbd",
    "expected_purchases",
    "expected_purchases_new",
    "fit",
    "log_likelihood",
    "log_likelihood_each",
    "next_purchase_wait",
    "p_alive",
    "p_no_purchase",
    "pmf",
    "purchases_interval",
    "purchases_quantile",
]


@dataclass(frozen=True)
class BgNbd(BetaGeometric):
    """Parameters of BG/NBD; alpha is in the unit of time of the data."""

    chances: ClassVar[int] = 0


# fit(x, t_x, T, weights=None, start=None, ridge=0.0, prior=None) -> Fit
fit = partial(fit_model, BgNbd)
