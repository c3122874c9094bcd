"""Parameters of groups of customers (channel, first product, country), pooled with the shop's.

The shop is fitted first. A group is then fitted on its own customers with a ridge centred at the
shop's parameters, of strength ``STRENGTH`` / n for n customers: 40 at 100 (a parameter 16 % off
the shop's costs half a unit of log-likelihood), 4 at 1,000, next to nothing at 100,000. It keeps
the result when that is sound and explains its customers better than the shop's parameters by more
than one unit of log-likelihood per parameter (Akaike's rule); else, and with fewer than
``MIN_CUSTOMERS`` customers or ``MIN_REPEATERS`` with a repeat purchase, the group is the shop.

Whether groups are worth having at all is for a backtest to say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from ltv.core.arrays import Floats, Ints, floats, usable
from ltv.core.models import Model

Params = TypeVar("Params")
Label = Any

STRENGTH = 4_000.0
MIN_CUSTOMERS, MIN_REPEATERS = 100, 30


@dataclass(frozen=True)
class Grouped(Generic[Params]):
    """The shop's parameters, and those of the groups that differ from it."""

    shop: Params
    own: Mapping[Label, Params]

    def of(self, label: Label) -> Params:
        """Parameters of a group, the shop's for one without its own."""
        return self.own.get(label, self.shop)


def fit(
    model: Model[Params], shop: Params, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, labels: ArrayLike
) -> Grouped[Params]:
    """Fit the groups of customers (n,) named by ``labels`` (n,), around the shop's parameters."""
    x, t_x, T = floats(x, t_x, T)
    keep = usable(x, t_x, T)
    names, group = np.unique(np.asarray(labels), return_inverse=True)
    own = {}
    for number, name in enumerate(names.tolist()):
        rows = np.flatnonzero(keep & (group.reshape(-1) == number))
        found = _fit_group(model, shop, x[rows], t_x[rows], T[rows])
        if found is not None:
            own[name] = found
    return Grouped(shop, own)


def _fit_group(model: Model[Params], shop: Params, x: Floats, t_x: Floats, T: Floats) -> Params | None:
    if len(x) < MIN_CUSTOMERS or np.count_nonzero(x) < MIN_REPEATERS:
        return None
    found = model.fit(x, t_x, T, start=shop, ridge=STRENGTH / len(x), prior=shop)
    gain = found.log_likelihood - model.log_likelihood(shop, x, t_x, T)
    size = len(astuple(shop))  # type: ignore[call-overload]
    return found.params if found.ok and gain > size else None


def combine(*labels: ArrayLike) -> Ints:
    """One label per combination of several covariates, each (n,): whole numbers from 0."""
    codes = np.zeros(len(np.atleast_1d(np.asarray(labels[0]))), dtype=np.int64)
    for column in labels:
        _, code = np.unique(np.asarray(column), return_inverse=True)
        _, codes = np.unique(codes * (int(code.max(initial=0)) + 1) + code.reshape(-1), return_inverse=True)
    return codes.reshape(-1)


def each(grouped: Grouped[Params], labels: ArrayLike, evaluate: Callable[[Params, Ints], Floats]) -> Floats:
    """What ``evaluate(params, rows)`` answers for the rows of each group, in the customers' order.

    One call per group with parameters of its own and one for all others; answers are (rows,) or
    (k, rows).
    """
    names, group = np.unique(np.asarray(labels), return_inverse=True)
    differs = np.array([name in grouped.own for name in names.tolist()], dtype=bool)
    # every group that is like the shop is one
    code = np.where(differs[group], group, -1).reshape(-1) if len(names) else np.empty(0, np.int64)
    order = np.argsort(code, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(code[order])) + 1)
    answers = [evaluate(grouped.of(_name(names, code, rows)), rows) for rows in parts]
    joined = np.concatenate(answers, axis=-1)
    found = np.empty_like(joined)
    found[..., order] = joined
    return found


def _name(names: np.ndarray, code: Ints, rows: Ints) -> Label:
    """The group of some rows; none where they are the shop's."""
    return names.tolist()[code[rows[0]]] if len(rows) and code[rows[0]] >= 0 else None
