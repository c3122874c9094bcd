"""A run's figures worked out once more by its own settings and parameters, and held against those it stored."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg.sql import Identifier, Literal

from crm.common import sql
from ltv.core.arrays import Ints
from ltv.core.past import past
from ltv.models import LtvRun
from ltv.services import figures, histories, publishing
from ltv.services.histories import Histories, thousandths
from ltv.services.predictions import Fitted

HISTORY = np.dtype([("customer_id", "i8"), *histories.FIELDS])
DAYS = ("orders", "frequency", "recency_days", "age_days")
SUMS = ("revenue", "margin", "average_purchase")
ROUNDED = ("formula_ltv", "margin_clv")
EXPECTED = ("expected_value", "clv")
FIGURES = np.dtype(
    [
        ("customer_id", "i8"),
        *((name, "i4") for name in DAYS),
        *((name, "i8") for name in (*SUMS, *ROUNDED, *EXPECTED)),
        ("expected_purchases", "f8"),
    ]
)
BLOCK = 100_000  # buyers forecast at a time
RANGE = 200_000  # ids compared at a time: a table that history need not keep is dropped between two of them
SECONDS = 900
LAST_PLACE = 1  # thousandth, by which what was rounded may differ
NEARLY = 1e-9  # of an expected number of purchases


@dataclass(frozen=True)
class Difference:
    """Of a range of customers: how many there were, and the ids of those whose figures differ.

    ``own``: in what they did themselves, so in anything; ``expected``: only in what is expected of them.
    """

    customers: int
    own: Ints
    expected: Ints


def read(run: LtvRun) -> NDArray[Any]:
    """The purchase history of every buyer up to the run's day, (n,), dtype HISTORY, from the ledger as it is now."""
    asked = {"as_of": run.as_of, "margin_rate": run.margin_rate}
    with sql.patient(SECONDS, memory_mb=128):
        sql.know_sizes()
        return sql.copy_out("ltv/reproducing_histories", HISTORY, asked)


def rests_on_all(run: LtvRun) -> bool:
    """Whether what is expected of a customer depends on all the others: the run had no parameters of its own."""
    return not Fitted.of_run(run).alone


def value(run: LtvRun, rows: NDArray[Any]) -> NDArray[Any]:
    """What the run says of these buyers, (n,), dtype FIGURES."""
    fitted, found = Fitted.of_run(run), np.zeros(len(rows), dtype=FIGURES)
    size = max(len(rows), 1) if rests_on_all(run) else BLOCK
    for start in range(0, len(rows), size):
        part = slice(start, start + size)
        _value(run, fitted, rows[part], found[part])
    return found


def _value(run: LtvRun, fitted: Fitted, rows: NDArray[Any], found: NDArray[Any]) -> None:
    until = histories.day_number(run.as_of) - 1
    seen = Histories.of(rows, until, run.margin_rate)
    observed = until - seen.first_day + 1
    sums = seen.orders, observed, seen.revenue, seen.margin
    formula = past(*sums, float(run.retention_months), float(run.margin_rate))
    ahead = fitted.forecast(seen)
    coming = ahead.within(run.horizon_days)
    columns = {
        "customer_id": rows["customer_id"],
        "orders": seen.orders,
        "frequency": seen.days - 1,
        "recency_days": until - seen.last_day,
        "age_days": observed - 1,
        "revenue": seen.revenue,
        "margin": seen.margin,
        "average_purchase": formula.average_purchase,
        "formula_ltv": formula.formula_ltv,
        "margin_clv": formula.margin_clv,
        "expected_value": thousandths(coming.value),
        "clv": figures.expected_margin(run, seen, ahead),
        "expected_purchases": coming.purchases,
    }
    for name, values in columns.items():
        found[name] = values


def compare(run: LtvRun, now: NDArray[Any]) -> Iterator[Difference]:
    """Range by range of the run's customers: what it stored against ``now``, dtype FIGURES, in order of id."""
    parts = {"partition": Identifier(publishing.table_name(run.pk)), "run_id": Literal(run.pk)}
    bounds = sql.rows("ltv/reproducing_bounds", parts=parts)[0]
    low, high = bounds["low"] or 0, bounds["high"] or 0
    for start in range(low, high + 1, RANGE):
        end = start + RANGE
        with sql.patient(60):
            stored = sql.copy_out("ltv/reproducing_stored", FIGURES, {"low": start, "high": end}, parts)
        first = 0 if start == low else np.searchsorted(now["customer_id"], start)
        last = len(now) if end > high else np.searchsorted(now["customer_id"], end)
        yield _difference(stored, now[first:last])


def _difference(stored: NDArray[Any], buyers: NDArray[Any]) -> Difference:
    """Of customers in order of id; who is not among the buyers bought nothing."""
    ids = stored["customer_id"]
    place = np.searchsorted(ids, buyers["customer_id"])
    known = np.zeros(len(buyers), dtype=bool)
    known[place < len(ids)] = ids[place[place < len(ids)]] == buyers["customer_id"][place < len(ids)]
    now = np.zeros(len(stored), dtype=FIGURES)
    now[place[known]] = buyers[known]
    own, expected = np.zeros(len(stored), dtype=bool), np.zeros(len(stored), dtype=bool)
    for name in (*DAYS, *SUMS):
        own |= now[name] != stored[name]
    for name in ROUNDED:
        own |= np.abs(now[name] - stored[name]) > LAST_PLACE
    for name in EXPECTED:
        expected |= np.abs(now[name] - stored[name]) > LAST_PLACE
    usual = np.maximum(np.abs(stored["expected_purchases"]), 1.0)
    expected |= np.abs(now["expected_purchases"] - stored["expected_purchases"]) > NEARLY * usual
    strangers = buyers["customer_id"][~known]
    return Difference(
        customers=len(stored) + len(strangers),
        own=np.union1d(ids[own], strangers),
        expected=ids[expected & ~own],
    )
