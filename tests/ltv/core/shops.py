"""Purchase logs of shops that follow Pareto/NBD and gamma-gamma, and what may go wrong with them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from ltv.core import summary

# the last day of every log
END = 900


@dataclass(frozen=True, eq=False)
class Rows:
    customers: np.ndarray
    days: np.ndarray
    amounts: np.ndarray

    def log(self) -> summary.Log:
        return summary.purchase_log(self.customers, self.days, self.amounts)

    def keep(self, rows: np.ndarray) -> Rows:
        return Rows(self.customers[rows], self.days[rows], self.amounts[rows])


@cache
def healthy(customers: int = 1_200, seed: int = 1) -> Rows:
    """Acquired evenly over 900 days; a median customer buys every two months, for some years."""
    rng = np.random.default_rng(seed)
    first = rng.integers(0, END, customers)
    rate = rng.gamma(1.2, 1 / 70, customers)
    life = rng.exponential(1.0 / rng.gamma(1.2, 1 / 500, customers))
    repeats = rng.poisson(rate * np.minimum(life, END - first))
    customer = np.repeat(np.arange(customers), repeats + 1)
    span = np.repeat(np.minimum(life, END - first), repeats + 1)
    begins = np.append(True, customer[1:] != customer[:-1])
    days = np.repeat(first, repeats + 1) + np.where(begins, 0, np.ceil(rng.random(len(customer)) * span))
    scale = rng.gamma(4.0, 1 / 30, customers)
    amounts = np.round(rng.gamma(6.0, 1 / np.repeat(scale, repeats + 1)), 2)
    return Rows(customer, days.astype(np.int64), amounts)


def regular(customers: int = 400, seed: int = 2) -> Rows:
    """Everybody buys every 30 days, nobody leaves."""
    rng = np.random.default_rng(seed)
    first = rng.integers(0, 300, customers)
    days = np.concatenate([np.arange(day, END + 1, 30) for day in first])
    owners = np.repeat(np.arange(customers), [len(range(day, END + 1, 30)) for day in first])
    return Rows(owners, days, np.round(20 + 5 * rng.random(len(days)), 2))


def halved(rows: Rows, since: int) -> Rows:
    """Every second purchase after a day does not happen."""
    return thinned(rows, since, 0.5)


def thinned(rows: Rows, since: int, by: float, until: int = END) -> Rows:
    """That share of the purchases after a day, up to another one, does not happen."""
    lost = (rows.days > since) & (rows.days <= until) & (np.random.default_rng(3).random(len(rows.days)) < by)
    return rows.keep(~lost)


def shifted(rows: Rows, by: int) -> Rows:
    """All dates wrong by so many days."""
    moved = replace(rows, days=rows.days + by)
    return moved.keep(moved.days >= 0)


def dearer(rows: Rows, since: int, factor: float) -> Rows:
    """Amounts after a day in another unit."""
    return replace(rows, amounts=np.where(rows.days > since, rows.amounts * factor, rows.amounts))
