"""Every column of a run's table for a range of customers at once, and the totals of the start page."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crm.common.columns import BLOCK, Column
from ltv.core import clv, scores
from ltv.core.arrays import Floats, Ints
from ltv.core.past import past
from ltv.models import LtvRun
from ltv.services import histories
from ltv.services.changes import REASONS, Changes
from ltv.services.histories import MONEY, Histories, thousandths
from ltv.services.scales import Scales

NEXT_PURCHASE = {"next_purchase_from": 0.25, "next_purchase_on": 0.5, "next_purchase_to": 0.75}
OTHER_HORIZONS = (1095, 90, 30)
FARTHEST_DAYS = 3650  # a next purchase later than this is not foreseen


@dataclass(frozen=True)
class Base:
    """Customers (n,), in order of id, and the histories of those who bought."""

    customer_id: Ints
    channel_id: Ints
    bought: Ints  # places of the buyers among the customers
    buyers: Histories

    @classmethod
    def of(cls, rows: histories.Columns, run: LtvRun) -> "Base":
        """Of a run, from the columns of histories.CUSTOMER: what was bought before its day."""
        bought = np.flatnonzero(rows["days"] > 0)
        buyers = {name: rows[name][bought] for name, _kind in histories.FIELDS}
        return cls(rows["customer_id"], rows["channel_id"], bought, seen_by(run, buyers))

    def spread(self, values: NDArray[Any]) -> NDArray[Any]:
        """Per buyer to per customer, 0 for the others."""
        found = np.zeros(len(self.customer_id), dtype=values.dtype)
        found[self.bought] = values
        return found


def seen_by(run: LtvRun, buyers: histories.Columns) -> Histories:
    """Buyers' histories up to the last day that a run counts."""
    return Histories.of(buyers, until=histories.day_number(run.as_of) - 1, margin_rate=run.margin_rate)


def expected_revenue(run: LtvRun, ahead: clv.Answers) -> Floats:
    """Discounted revenue within the horizon, per buyer, in units of the run's currency."""
    return ahead.revenue(run.horizon_days, float(run.discount_rate))


def expected_margin(run: LtvRun, seen: Histories, ahead: clv.Answers) -> Ints:
    """Discounted margin within the horizon, per buyer, thousandths."""
    return thousandths(expected_revenue(run, ahead) * seen.margin_share)


@dataclass(frozen=True)
class Figures:
    """What a run says of these customers; money in thousandths of its currency.

    ``margin`` is the expected margin per buyer, ``cac`` the channel's per customer.
    """

    run: LtvRun
    base: Base
    ahead: clv.Answers
    margin: Ints
    changes: Changes | None
    scales: Scales
    cac: Column

    def blocks(self) -> Iterator[dict[str, Column]]:
        """The table's columns, so many customers at a time."""
        customers = len(self.base.customer_id)
        for start in range(0, customers, BLOCK):
            yield self._block(slice(start, min(start + BLOCK, customers)))

    @cached_property
    def _foreseen(self) -> dict[str, Column]:
        """Per buyer, what has to be worked out for all of them together."""
        run, ahead = self.run, self.ahead
        # the longest first: what working it out takes beside the results is the most
        found: dict[str, Column] = {}
        for days in OTHER_HORIZONS:
            found |= _horizon(ahead.within(days), days)
        year = ahead.within(run.horizon_days)
        found |= {
            "expected_purchases": Column(year.purchases),
            "purchases_low": Column(year.purchases_low.astype("f4")),
            "purchases_high": Column(year.purchases_high.astype("f4")),
            "expected_value": Column(thousandths(year.value)),
            "expected_value_low": Column(thousandths(np.minimum(year.value_low, year.value_high))),
            "expected_value_high": Column(thousandths(year.value_high)),
            "p_alive": Column(np.clip(ahead.p_alive, 0, 1, out=ahead.p_alive)),
            "p_no_purchase": Column(np.clip(ahead.p_no_purchase(run.churn_days), 0, 1)),
        }
        buyers = self.base.customer_id[self.base.bought]
        return found | self._waits() | self.scales.ranks(buyers, self.base.buyers, self.margin)

    def _waits(self) -> dict[str, Column]:
        found = {}
        for name, share in NEXT_PURCHASE.items():
            wait = np.ceil(np.minimum(self.ahead.wait(share), FARTHEST_DAYS)).astype(np.int32)
            found[name] = Column(wait + np.int32(self.base.buyers.until), wait >= FARTHEST_DAYS)
        return found

    def _block(self, part: slice) -> dict[str, Column]:
        first, last = np.searchsorted(self.base.bought, [part.start, part.stop])
        theirs, places = slice(first, last), self.base.bought[first:last] - part.start
        size = part.stop - part.start
        never = np.ones(size, dtype=bool)
        never[places] = False

        def spread(column: Column, *, nullable: bool = True) -> Column:
            values = np.zeros(size, dtype=column.values.dtype)
            values[places] = column.values
            null = never.copy() if nullable else None
            if null is not None and column.null is not None:
                null[places] = column.null
            return Column(values, null)

        found = {
            name: spread(column)
            for name, column in self._past(theirs, self.cac.part(part).at(places)).items()
        }
        found |= {name: spread(column.part(theirs)) for name, column in self._foreseen.items()}
        for name, column in self._facts(theirs).items():
            found[name] = spread(column, nullable=False)
        found["run_id"] = Column(np.full(size, self.run.pk, dtype=np.int64))
        found["customer_id"] = Column(self.base.customer_id[part])
        found["channel_cac"] = self.cac.part(part)
        return found | self._why(part, size)

    def _facts(self, theirs: slice) -> dict[str, Column]:
        """What is 0 for who never bought."""
        seen = self.base.buyers
        return {
            "orders": Column(seen.orders[theirs]),
            "frequency": Column(seen.days[theirs] - 1),
            "revenue": Column(seen.revenue[theirs]),
            "margin": Column(seen.margin[theirs]),
            "clv": Column(self.margin[theirs]),
        }

    def _past(self, theirs: slice, cac: Column) -> dict[str, Column]:
        run, seen = self.run, self.base.buyers
        observed = seen.until - seen.first_day[theirs] + 1
        sums = seen.orders[theirs], observed, seen.revenue[theirs], seen.margin[theirs]
        found = past(*sums, float(run.retention_months), float(run.margin_rate))
        no_ratio = (cac.values == 0) | (cac.null if cac.null is not None else False)
        return {
            "recency_days": Column((seen.until - seen.last_day[theirs]).astype(np.int32)),
            "age_days": Column((observed - 1).astype(np.int32)),
            "average_purchase": Column(found.average_purchase),
            "purchases_per_month": Column(found.purchases_per_month),
            "formula_ltv": Column(found.formula_ltv),
            "margin_clv": Column(found.margin_clv),
            "ltv_to_cac": Column(found.formula_ltv / np.maximum(cac.values, 1), no_ratio),
        }

    def _why(self, part: slice, size: int) -> dict[str, Column]:
        changes = self.changes
        if changes is None:
            nothing = Column(np.zeros(size, dtype=np.int64), np.ones(size, dtype=bool))
            return dict.fromkeys(("clv_before", *(f"change_{name}" for name in REASONS)), nothing)
        return {
            "clv_before": Column(changes.before[part], ~changes.known[part]),
            **{f"change_{name}": Column(getattr(changes, name)[part]) for name in REASONS},
        }

    def sums(self) -> dict[str, float]:
        """What the totals of the start page are added up from; money whole thousandths."""
        seen, found = self.base.buyers, self._foreseen
        likely_gone = found["p_no_purchase"].values >= 0.5
        sums = {
            "active": int(np.count_nonzero(seen.until - seen.last_day < self.run.churn_days)),
            "at_risk": int(np.count_nonzero(likely_gone)),
            "margin_at_risk": int(self.margin[likely_gone].sum()),
            "expected_purchases": float(found["expected_purchases"].values.sum()),
        }
        for number in range(1, scores.TENTHS + 1):
            theirs = found["clv_decile"].values == number
            sums[f"decile_{number}_customers"] = int(np.count_nonzero(theirs))
            sums[f"decile_{number}_clv"] = int(self.margin[theirs].sum())
            sums[f"decile_{number}_revenue"] = int(seen.revenue[theirs].sum())
        return sums


def _horizon(coming: clv.Horizon, days: int) -> dict[str, Column]:
    value_low = np.minimum(coming.value_low, coming.value_high)
    columns: dict[str, Floats] = {
        f"purchases_{days}": coming.purchases,
        f"purchases_{days}_low": coming.purchases_low,
        f"purchases_{days}_high": coming.purchases_high,
        f"value_{days}": coming.value,
        f"value_{days}_low": value_low,
        f"value_{days}_high": coming.value_high,
    }
    return {name: Column(values.astype("f4")) for name, values in columns.items()}


def totals(sums: dict[str, float]) -> dict[str, Any]:
    """The figures of the start page, JSON, from the sums of all ranges; money as text in units of the currency."""
    return {
        "active": sums["active"],
        "at_risk": sums["at_risk"],
        "margin_at_risk": _units(sums["margin_at_risk"]),
        "expected_purchases": sums["expected_purchases"],
        "deciles": [
            {
                "decile": number,
                "customers": sums[f"decile_{number}_customers"],
                "clv": _units(sums[f"decile_{number}_clv"]),
                "revenue": _units(sums[f"decile_{number}_revenue"]),
            }
            for number in range(1, scores.TENTHS + 1)
            if sums[f"decile_{number}_customers"]
        ],
    }


def _units(thousandths_: float) -> str:
    return str(Decimal(int(thousandths_)) / MONEY)
