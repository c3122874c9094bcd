"""The transaction models behind one interface: generic code takes a module as its argument.

    for name, model in MODELS.items():
        fit = model.fit(x, t_x, T)
        expected = model.expected_purchases(fit.params, x, t_x, T, horizon)

``x`` (repeat purchase days), ``t_x`` (time of the last purchase) and ``T`` (length of observation)
have shape (n,) and one unit of time, that of the fit. Parameters are stored as ``asdict(params)``
and read back by ``model.Params(**stored)``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from ltv.core import bgnbd, mbgnbd, paretonbd
from ltv.core.arrays import Floats
from ltv.core.fitting import Fit
from ltv.core.lives import Lives

P = TypeVar("P")


class Model(Protocol[P]):
    """A transaction model: how often and how long a customer buys."""

    @property
    def Params(self) -> Callable[..., P]:
        """The frozen dataclass of the parameters."""

    def fit(
        self,
        x: ArrayLike,
        t_x: ArrayLike,
        T: ArrayLike,
        weights: ArrayLike | None = None,
        start: P | None = None,
        ridge: float = 0.0,
        prior: P | None = None,
        settled: float = 0.0,
    ) -> Fit[P]:
        """Maximum likelihood estimates, see ``fitting.fit_histories``; never raises on odd data, flags it."""

    def log_likelihood(
        self, params: P, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, weights: ArrayLike | None = None
    ) -> float:
        """Of all customers, without the constant x!."""

    def log_likelihood_each(self, params: P, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> Floats:
        """Of each customer, shape (n,)."""

    def p_alive(self, params: P, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> Floats:
        """P(still a customer at T), shape (n,)."""

    def p_no_purchase(self, params: P, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, horizon: float) -> Floats:
        """P(no purchase in (T, T + horizon]), shape (n,)."""

    def expected_purchases(
        self, params: P, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, horizon: float
    ) -> Floats:
        """Expected purchase days in (T, T + horizon], shape (n,)."""

    def expected_purchases_new(self, params: P, t: ArrayLike) -> Floats:
        """Expected repeat purchase days of a new customer up to t, shape of t."""

    def pmf(self, params: P, n: ArrayLike, t: ArrayLike) -> Floats:
        """P(a new customer makes n repeat purchase days up to t)."""

    def exceeds(
        self, params: P, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, horizon: float, y: ArrayLike
    ) -> Floats:
        """P(more than y purchase days in (T, T + horizon]), shape (n,)."""

    def purchase_quantiles(
        self,
        params: P,
        x: ArrayLike,
        t_x: ArrayLike,
        T: ArrayLike,
        horizon: float,
        levels: Sequence[float],
    ) -> Floats:
        """Predictive quantiles of the purchase days in (T, T + horizon], shape (len(levels), n)."""

    def residual_value(
        self,
        params: P,
        x: ArrayLike,
        t_x: ArrayLike,
        T: ArrayLike,
        delta: float,
        horizon: float = np.inf,
    ) -> Floats:
        """Expected purchase days after T, each discounted at ``delta`` per unit of time, (n,)."""

    def simulate(self, params: P, rng: np.random.Generator, T: ArrayLike, horizon: float) -> Lives:
        """Customers of the model: what was seen up to T (n,) and what is true."""


MODELS: Mapping[str, Model[Any]] = {"bgnbd": bgnbd, "mbgnbd": mbgnbd, "paretonbd": paretonbd}


def of(params: Any) -> Model[Any]:
    """The model whose parameters these are."""
    for model in MODELS.values():
        if type(params) is model.Params:
            return model
    raise TypeError(f"{type(params).__name__} are the parameters of no transaction model")
