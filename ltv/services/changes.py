"""Why a customer's expected margin is not what it was in the run before, to the thousandth.

What yesterday's model says is asked again, one thing changed at a time: the day, the purchases, the refunds, the
rates, and last the model itself. Each step is rounded before the differences are taken, so that they add up exactly.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg.sql import Identifier

from crm.common import sql
from crm.common.arrays import places
from ltv.core.arrays import Floats, Ints
from ltv.models import LtvRun
from ltv.services.histories import FIELDS, Columns, Histories, thousandths
from ltv.services.predictions import Fitted

REASONS = ("time", "purchases", "refunds", "rates", "refit")
PREVIOUS = np.dtype([("customer_id", "i8"), ("clv", "i8")])
MARGINS = np.dtype([("customer_id", "i8"), ("revenue", "i8"), ("margin", "i8")])
CHANGED = np.dtype(
    [
        ("customer_id", "i8"),
        *((f"before_{name}", kind) for name, kind in FIELDS),
        ("refunds", "?"),
        *((f"kept_{name}", kind) for name, kind in FIELDS),
    ]
)


@dataclass(frozen=True)
class Changes:
    """Expected margin in the run before and what changed it since, (n,) each, thousandths: they add up to today's."""

    before: Ints
    known: NDArray[np.bool_]  # whether the run before had a row of the customer
    time: Ints
    purchases: Ints
    refunds: Ints
    rates: Ints
    refit: Ints


@dataclass(frozen=True)
class Today:
    """What the present run found: all customers (n,), which of them bought, these histories, and what is expected."""

    customer_id: Ints
    bought: Ints  # places of the buyers among the customers
    buyers: Histories
    revenue: Floats  # per buyer, in units of money
    clv: Ints  # (n,), thousandths


def comparable(run: LtvRun, previous: LtvRun) -> bool:
    """Whether a change since ``previous`` means something: not of a later day, and in the same currency."""
    return previous.as_of <= run.as_of and previous.currency == run.currency


def explain(run: LtvRun, previous: LtvRun, table: str, today: Today, low: int, high: int) -> Changes:
    """Split the change of these customers' expected margin since ``previous``, whose rows are in ``table``.

    They are the ones with low <= id < high.
    """
    among = {"low": low, "high": high}
    split = _Split(run, previous, Identifier(table), among, Fitted.of_run(previous), today)
    return split.changes(sql.copy_out("ltv/changes_read", CHANGED, among))


@dataclass(frozen=True)
class _Split:
    run: LtvRun
    previous: LtvRun
    table: Identifier
    among: dict[str, int]
    old: Fitted
    today: Today

    def changes(self, changed: NDArray[Any]) -> Changes:
        """``changed`` has dtype CHANGED, in order of customer."""
        earlier = self._earlier("ltv/changes_previous", PREVIOUS)
        at, known = places(earlier["customer_id"], self.today.customer_id)
        before = np.where(known, earlier["clv"][at] if len(earlier["clv"]) else 0, 0)
        then = self._then()
        aged = self._spread(then * self._share_then())
        kept, refunded = aged.copy(), aged.copy()
        self._replace(changed, aged, kept, refunded)
        rated = refunded
        if self._rates_changed():
            rated = self._spread(self._rated(then) * self.today.buyers.margin_share)
        nothing = np.broadcast_to(np.int64(0), aged.shape)
        return Changes(
            before=before,
            known=known,
            time=aged - before,
            purchases=kept - aged,
            refunds=refunded - kept,
            rates=nothing if rated is refunded else rated - refunded,
            refit=self.today.clv - rated,
        )

    def _earlier(self, name: str, dtype: np.dtype) -> Columns:
        """Columns of the run before, in order of id."""
        found = sql.copy_arrays(name, dtype, self.among, {"partition": self.table})
        order = np.argsort(found["customer_id"])  # sooner than PostgreSQL has them in order
        return {column: values[order] for column, values in found.items()}

    def _then(self) -> Floats:
        """What the model of the run before expects of today's buyers, by its own rates."""
        discount = self.previous.discount_rate
        if discount == self.run.discount_rate and self.old.buys_as(Fitted.of_run(self.run)):
            return self.today.revenue  # it is today's model, and has been asked
        return self._revenue(self.today.buyers, discount)

    def _rates_changed(self) -> bool:
        now, before = self.run, self.previous
        return (now.margin_rate, now.discount_rate) != (before.margin_rate, before.discount_rate)

    def _rated(self, then: Floats) -> Floats:
        if self.run.discount_rate == self.previous.discount_rate:
            return then
        return self._revenue(self.today.buyers, self.run.discount_rate)

    def _revenue(self, seen: Histories, discount: Decimal) -> Floats:
        """What the model of the run before expects of these buyers, by today."""
        return self.old.forecast(seen).revenue(self.run.horizon_days, float(discount))

    def _spread(self, units: Floats) -> Ints:
        """Per buyer, in units of money, to per customer, in thousandths."""
        found = np.zeros(len(self.today.customer_id), dtype=np.int64)
        found[self.today.bought] = thousandths(units)
        return found

    def _share_then(self) -> Floats:
        """Each buyer's share of margin as it was: another only if the shop's rate was."""
        share = self.today.buyers.margin_share
        if self.run.margin_rate == self.previous.margin_rate:
            return share
        earlier = self._earlier("ltv/changes_margins", MARGINS)
        at, had = places(earlier["customer_id"], self.today.customer_id[self.today.bought])
        if not len(earlier["revenue"]):
            return share
        revenue, margin = earlier["revenue"][at], earlier["margin"][at]
        past = np.clip(margin / np.maximum(revenue, 1), -1.0, 1.0)
        past = np.where(revenue > 0, past, float(self.previous.margin_rate))
        return np.where(had, past, share)

    def _replace(self, changed: NDArray[Any], aged: Ints, kept: Ints, refunded: Ints) -> None:
        """Put in what is true of those whose purchases changed; everybody else's have only aged."""
        place, found = places(self.today.customer_id, changed["customer_id"])
        place, changed = place[found], changed[found]
        aged[place] = self._worth(changed, "before_")
        undone = changed["refunds"]
        kept[place[undone]] = self._worth(changed[undone], "kept_")

    def _worth(self, rows: NDArray[Any], prefix: str) -> Ints:
        """Expected margin, by the run before's model and rates, of histories that may be empty."""
        found = np.zeros(len(rows), dtype=np.int64)
        some = np.flatnonzero(rows[f"{prefix}days"] > 0)
        if len(some):
            seen = Histories.of(rows[some], self.today.buyers.until, self.previous.margin_rate, prefix)
            found[some] = thousandths(self._revenue_among(seen) * seen.margin_share)
        return found

    def _revenue_among(self, seen: Histories) -> Floats:
        """As ``_revenue``; without parameters the customers beside them say what is usual in the shop."""
        if self.old.alone:
            return self._revenue(seen, self.previous.discount_rate)
        everybody = self.today.buyers.followed_by(seen)
        return self._revenue(everybody, self.previous.discount_rate)[len(self.today.buyers) :]
