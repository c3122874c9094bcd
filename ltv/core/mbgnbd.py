"""MBG/NBD: as BG/NBD, but a customer may already leave after the first purchase.

So one-time buyers are not alive for ever; the model of P(alive) on the screens. The functions are
those of ``bgnbd``.

Source: Batislam, Denizel & Filiztekin (2007), Int. J. Research in Marketing 24(3), 201-209.
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
    "MbgNbd",
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
class MbgNbd(BetaGeometric):
    """Parameters of MBG/NBD; alpha is in the unit of time of the data."""

    chances: ClassVar[int] = 1


Params = MbgNbd


def fit(
    x: ArrayLike,
    t_x: ArrayLike,
    T: ArrayLike,
    weights: ArrayLike | None = None,
    start: MbgNbd | None = None,
    ridge: float = 0.0,
    prior: MbgNbd | None = None,
    settled: float = 0.0,
) -> Fit[MbgNbd]:
    """Maximum likelihood estimates, see ``fitting.fit_histories``."""
    return fit_model(MbgNbd, x, t_x, T, weights, start, ridge, prior, settled)
