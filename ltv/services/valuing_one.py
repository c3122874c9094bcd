"""One customer valued by a run's parameters, in memory: the columns of the night, of one row."""

from copy import copy
from datetime import date, timedelta
from itertools import islice
from typing import Any

import numpy as np

from crm.common.columns import Column
from ltv.core.uncertainty import MATTERS_UP_TO
from ltv.models import CustomerLtv, CustomerOutlook, LtvRun
from ltv.reports import ValueCard, as_row
from ltv.services import figures, histories
from ltv.services.changes import REASONS
from ltv.services.histories import MONEY
from ltv.services.predictions import Fitted
from ltv.services.scales import Scales

COMPARED = ("clv_decile", "r_score", "f_score", "m_score")  # with everybody else: as the run found them
DATES = tuple(figures.NEXT_PURCHASE)


def revalued(card: ValueCard, as_of: date, summary: dict[str, Any]) -> dict[str, Any] | None:
    """The card's ``figures`` and ``outlook`` by the purchases in ``summary`` (units of ``histories``).

    None where the run has no parameters and the shop is too large to be read for one customer's page.
    """
    run = copy(card.run)
    run.as_of = as_of
    fitted = Fitted.of_run(run)
    rows = _one(summary)
    if not fitted.alone:
        if run.customers > MATTERS_UP_TO:
            return None
        rows = _among_all(summary)
    place = int(np.flatnonzero(rows["customer_id"] == card.figures.pk)[0])
    made = _columns(run, fitted, rows, card.figures, place // figures.BLOCK)
    values = {name: _value(name, column, place % figures.BLOCK) for name, column in made.items()}
    values |= {name: getattr(card.figures, name) for name in COMPARED}
    outlook = as_row(CustomerOutlook, values)
    if card.outlook:
        for name in ("clv_before", *(f"change_{reason}" for reason in REASONS)):
            setattr(outlook, name, getattr(card.outlook, name))  # why last night's differs from that before
    return {"figures": as_row(CustomerLtv, values), "outlook": outlook}


def _columns(run: LtvRun, fitted: Fitted, rows: Any, stored: CustomerLtv, block: int) -> dict[str, Column]:
    base = figures.Base.of(rows, run)
    scales = Scales.of_run(run)
    ahead = fitted.forecast(base.buyers)
    margin = figures.expected_margin(run, base.buyers, ahead)
    blocks = figures.Figures(
        run, base, ahead, margin, None, scales, _cac(stored, len(base.customer_id))
    ).blocks()
    return next(islice(blocks, block, None))


def _one(summary: dict[str, Any]) -> histories.Columns:
    names = histories.CUSTOMER.names or ()
    return {name: np.array([summary.get(name, 0)], histories.CUSTOMER[name]) for name in names}


def _among_all(summary: dict[str, Any]) -> histories.Columns:
    rows = histories.read()
    here = rows["customer_id"] == summary["customer_id"]
    for name, value in summary.items():
        rows[name][here] = value
    return rows


def _cac(stored: CustomerLtv, rows: int) -> Column:
    cost = stored.channel_cac
    values = np.full(rows, int(cost * MONEY) if cost is not None else 0, dtype=np.int64)
    return Column(values, np.full(rows, cost is None))


def _value(name: str, column: Column, place: int) -> Any:
    """A column's entry as PostgreSQL would have it."""
    if column.null is not None and column.null[place]:
        return None
    value = column.values[place].item()
    return histories.EPOCH + timedelta(days=value) if name in DATES else value
