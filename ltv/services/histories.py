"""What is known of every customer when a night values them: the summaries, out of PostgreSQL by binary COPY."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crm.common import sql
from crm.common.beside import side_by_side
from crm.common.ranges import EVERYONE, ranges
from ltv.core.arrays import Floats, Ints
from ltv.models import PurchaseSummary

MONEY = 1000  # thousandths of the currency's unit, whole numbers: exact however many are added up
EPOCH = date(2000, 1, 1)
FIELDS = (("days", "i4"), ("orders", "i4"), ("first_day", "i4"), ("last_day", "i4"), ("first_revenue", "i8"), ("revenue", "i8"), ("margin", "i8"))  # fmt: skip
BUYER = np.dtype([("customer_id", "i8"), *FIELDS])
CUSTOMER = np.dtype([("customer_id", "i8"), ("channel_id", "i8"), *FIELDS])
A_READING = 250_000  # customers
Columns = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Histories:
    """Purchase histories (n,) up to ``last_day`` (days since EPOCH); money in thousandths of base currency.

    ``margin_rate`` stands in where a customer's revenue is 0.
    """

    days: Ints
    orders: Ints
    first_day: Ints
    last_day: Ints
    first_revenue: Ints
    revenue: Ints
    margin: Ints
    until: int
    margin_rate: Decimal

    @classmethod
    def of(cls, rows: Any, until: int, margin_rate: Decimal, prefix: str = "") -> "Histories":
        """From columns by name, or a structured array; their names may have a prefix."""
        columns = {name: np.ascontiguousarray(rows[prefix + name]) for name, _kind in FIELDS}
        return cls(**columns, until=until, margin_rate=margin_rate)

    def __len__(self) -> int:
        return len(self.days)

    def followed_by(self, other: "Histories") -> "Histories":
        """These customers, then others."""
        columns = {name: np.append(getattr(self, name), getattr(other, name)) for name, _kind in FIELDS}
        return Histories(**columns, until=self.until, margin_rate=self.margin_rate)

    @cached_property
    def x(self) -> Floats:
        """Repeat purchase days."""
        return (self.days - 1).astype(np.float64)

    @cached_property
    def t_x(self) -> Floats:
        """Days from the first purchase to the last one."""
        return (self.last_day - self.first_day).astype(np.float64)

    @cached_property
    def T(self) -> Floats:
        """Days from the first purchase to the end of observation."""
        return (self.until - self.first_day).astype(np.float64)

    @cached_property
    def m(self) -> Floats:
        """Mean revenue of a repeat purchase day, in units of the currency; 0 without one."""
        return (self.revenue - self.first_revenue) / np.maximum(self.days - 1, 1) / MONEY * (self.days > 1)

    @cached_property
    def margin_share(self) -> Floats:
        """Share of the revenue that was margin, between -1 and 1."""
        share = self.margin / np.maximum(self.revenue, 1)
        return np.where(self.revenue > 0, np.clip(share, -1.0, 1.0), float(self.margin_rate))


def day_number(day: date) -> int:
    """A date as the arrays have it."""
    return (day - EPOCH).days


def read(low: int = 0, high: int = EVERYONE) -> Columns:
    """The customers with low <= id < high in order of id, columns (n,) of CUSTOMER; days 0 for who never bought."""
    return sql.copy_arrays("ltv/histories_read", CUSTOMER, {"low": low, "high": high})


def read_buyers() -> Columns:
    """Everyone who has a summary, in order of id, columns (n,) of BUYER."""
    read = side_by_side(_read_buyers, ranges(PurchaseSummary, A_READING))
    return {name: np.concatenate([one[name] for one in read]) for name in BUYER.names or ()}


def _read_buyers(among: tuple[int, int]) -> Columns:
    return sql.copy_arrays("ltv/histories_buyers", BUYER, {"low": among[0], "high": among[1]})


def thousandths(units: Floats) -> Ints:
    """Amounts in units of the currency as whole thousandths, rounded half to even."""
    return np.rint(units * MONEY).astype(np.int64)
