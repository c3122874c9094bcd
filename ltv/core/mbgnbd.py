"""MBG/NBD: as BG/NBD, but a customer may already leave after the first purchase.

So one-time buyers are not alive for ever; the model of P(alive) on the screens. The functions are
those of ``bgnbd``.

Source: Batislam, Denizel & Filiztekin (2007), Int. J. Research in Marketing 24(3), 201-209.
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
    "MbgNbd",
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
class MbgNbd(BetaGeometric):
    """Parameters of MBG/NBD; alpha is in the unit of time of the data."""

    chances: ClassVar[int] = 1


# fit(x, t_x, T, weights=None, start=None, ridge=0.0, prior=None) -> Fit
fit = partial(fit_model, MbgNbd)
