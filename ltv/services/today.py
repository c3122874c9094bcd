"""One customer's figures with the purchases since the last night in them: computed when asked for, stored by nobody."""

from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from typing import Any

from crm.common import sql
from ltv.reports import ValueCard

SUMMARY = ("customer_id", "days", "orders", "first_day", "last_day", "first_revenue", "revenue", "margin")


def value_today(card: ValueCard, today: date) -> ValueCard | None:
    """The card as the night will make it from what is known now, if the run's parameters stay; None if nothing changed.

    The tenth, the RFM scores and the channel's CAC are the run's: they compare with everybody. None too where a shop
    of thousands has no parameters, because then every customer's expectation rests on all the others.
    """
    as_of = max(card.run.as_of, today + timedelta(days=1))  # a run counts what was bought before its day
    asked = {"customer_id": card.figures.pk, "as_of": as_of, "margin_rate": card.run.margin_rate}
    found = sql.prepared(_statement(), asked)
    if not found:
        return None
    summary: dict[str, Any] = dict(zip(SUMMARY, found[0], strict=True))
    from ltv.services.valuing_one import revalued  # scipy: not before somebody's purchases changed

    figures = revalued(card, as_of, summary)
    return replace(card, **figures, updated_on=today) if figures else None


@cache
def _statement() -> str:
    return sql.written("ltv/summary_today")
