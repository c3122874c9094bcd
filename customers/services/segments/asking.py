"""What staff ask of a rule: how many, who, why. Nothing here writes."""

from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from django.db import OperationalError, transaction
from psycopg import errors
from psycopg import sql as composed

from crm.common import sql
from crm.common.models import Shop
from customers.core import rules
from customers.core.traits import catalogue
from customers.models import Segment
from customers.services.segments.checking import PreviewTooSlow, UnknownCustomer, check_rule, words

PATIENCE = "3s"
SAMPLE_PERCENT = 2


@dataclass(frozen=True)
class Preview:
    """``exact`` is False when only a sample of customers was counted: say "about"."""

    count: int
    sample: list[int]
    exact: bool


class Reason(NamedTuple):
    """One condition of a rule, what is known of the customer, and whether it holds."""

    words: str
    value: str
    passes: bool


def preview(rule: object, today: date, *, some: int = 10, patience: str = PATIENCE) -> Preview:
    """How many customers the rule holds for, and a few of them, within the patience of a person.

    When the exact count takes too long a sample is counted instead.

    Raises:
        BadSegmentRule: the rule cannot be understood.
        PreviewTooSlow: even the sample took too long.
    """
    compiled = rules.to_sql(check_rule(rule), catalogue())
    params = {**compiled.params, **_clock(today), "some": some}
    found = _count(compiled, params, "", patience)
    if found:
        return Preview(found["members"], found["some"] or [], True)
    found = _count(compiled, params, f"TABLESAMPLE SYSTEM ({SAMPLE_PERCENT})", patience)
    if found:
        return Preview(found["members"] * 100 // SAMPLE_PERCENT, found["some"] or [], False)
    raise PreviewTooSlow


def why(customer_id: int, segment: Segment, today: date) -> list[Reason]:
    """Each condition of the segment's rule with the customer's value, in the order of the rule.

    Raises:
        BadSegmentRule: the rule asks for something no longer known.
        UnknownCustomer: there is no such customer.
    """
    asked = list(rules.conditions(check_rule(segment.rule)))
    params: dict[str, Any] = {"customer_id": customer_id, **_clock(today)}
    columns: list[str] = []
    sources: set[str] = set()
    for place, condition in enumerate(asked):
        compiled = rules.to_sql(condition, catalogue(), prefix=f"c{place}_")
        known = rules.known_sql(condition.trait, catalogue())
        columns.append(f"{compiled.sql} AS pass_{place}, {known} AS value_{place}")
        params |= compiled.params
        sources |= compiled.sources
    parts = {
        "columns": composed.SQL(", ".join(columns)),  # type: ignore[arg-type]
        "joins": composed.SQL(catalogue().joins(sorted(sources))),  # type: ignore[arg-type]
    }
    found = sql.rows("customers/segments_why", params, parts)
    if not found:
        raise UnknownCustomer(customer_id=customer_id)
    return _reasons(asked, found[0])


def _reasons(asked: list[rules.Condition], row: dict[str, Any]) -> list[Reason]:
    speak = words()
    return [
        Reason(
            speak.condition(condition),
            speak.known(condition.trait, row[f"value_{place}"]),
            row[f"pass_{place}"],
        )
        for place, condition in enumerate(asked)
    ]


def _clock(today: date) -> dict[str, Any]:
    return {"today": today, "zone": Shop.current().time_zone}


def _count(
    compiled: rules.Compiled, params: dict[str, Any], sample: str, patience: str
) -> dict[str, Any] | None:
    """The counted row, or None when PostgreSQL ran out of patience."""
    parts = {
        "joins": composed.SQL(catalogue().joins(sorted(compiled.sources))),  # type: ignore[arg-type]
        "rule": composed.SQL(compiled.sql),  # type: ignore[arg-type]
        "sample": composed.SQL(sample),  # type: ignore[arg-type]
    }
    try:
        with transaction.atomic():
            sql.rows("customers/segments_hurry", {"patience": patience})
            found = sql.rows("customers/segments_preview", params, parts)[0]
            transaction.set_rollback(True)  # gives the transaction its own patience back; nothing was written
            return found
    except OperationalError as error:
        if isinstance(error.__cause__, errors.QueryCanceled):
            return None
        raise
