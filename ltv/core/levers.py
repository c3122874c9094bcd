"""What pulling a lever does to the worth of an average customer, by the formula as it is taught.

"Price +10 %" in one multiplication, without ranges; ``whatif`` asks the same of stored draws, in the
same words: average_purchase is the price lever, frequency how often, retention_time how long
customers stay.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from decimal import Decimal

from ltv.core import formula


@dataclass(frozen=True)
class Levers:
    """What the worth of an average customer is made of; money in one currency.

    ``frequency`` is purchases per month, ``retention_time`` months, ``margin_rate`` a share of
    revenue, ``acquisition_cost`` and ``retention_cost`` money per customer and lifetime.
    """

    average_purchase: Decimal
    frequency: Decimal
    retention_time: Decimal
    margin_rate: Decimal
    acquisition_cost: Decimal = Decimal(0)
    retention_cost: Decimal = Decimal(0)


@dataclass(frozen=True)
class Outcome:
    """Lifetime revenue, its margin, the margin net of costs, margin : acquisition cost, payback.

    ``ltv_to_cac`` is None when acquiring costs nothing; ``payback`` is the months until the margin
    covers the acquisition cost, infinite where the customer leaves before.
    """

    ltv: Decimal
    margin: Decimal
    net: Decimal
    ltv_to_cac: Decimal | None
    payback: float


@dataclass(frozen=True)
class Effect:
    """Outcome before and after, and the changes in money."""

    before: Outcome
    after: Outcome
    ltv_change: Decimal
    margin_change: Decimal
    net_change: Decimal


def outcome(levers: Levers) -> Outcome:
    """What a customer with these levers is worth.

    Raises:
        ValueError: a lever stands where it cannot, see ``formula``.
    """
    ltv = formula.lifetime_value(levers.average_purchase, levers.frequency, levers.retention_time)
    margin = formula.margin_clv(ltv, levers.margin_rate)
    return Outcome(
        ltv=ltv,
        margin=margin,
        net=formula.net_ltv(margin, levers.acquisition_cost, levers.retention_cost),
        ltv_to_cac=formula.ltv_to_cac(margin, levers.acquisition_cost),
        payback=_payback(levers, margin),
    )


def _payback(levers: Levers, margin: Decimal) -> float:
    if margin < levers.acquisition_cost:
        return float("inf")
    monthly = levers.average_purchase * levers.frequency * levers.margin_rate
    return float(formula.payback(float(monthly), float(levers.acquisition_cost))[0])


def pull(levers: Levers, **percent: int | Decimal) -> Levers:
    """Levers changed by per cent each: ``pull(levers, average_purchase=10)`` is price +10 %.

    Raises:
        ValueError: a lever of that name does not exist, or would fall below zero.
    """
    unknown = set(percent) - {field.name for field in fields(Levers)}
    if unknown:
        raise ValueError(f"No such lever: {', '.join(sorted(unknown))}.")
    refuse_below_nothing(percent.values())
    changed = {name: getattr(levers, name) * (100 + change) / 100 for name, change in percent.items()}
    return replace(levers, **changed)


def refuse_below_nothing(changes: Iterable[float | Decimal]) -> None:
    """Refuse changes, in per cent, that would take a lever below zero.

    Raises:
        ValueError: a change is below -100 or unknown.
    """
    if not all(change >= -100 for change in changes):
        raise ValueError("A lever cannot fall by more than 100 %.")


def effect(levers: Levers, **percent: int | Decimal) -> Effect:
    """Outcome before and after pulling levers by per cent, see ``pull``."""
    before, after = outcome(levers), outcome(pull(levers, **percent))
    return Effect(
        before=before,
        after=after,
        ltv_change=after.ltv - before.ltv,
        margin_change=after.margin - before.margin,
        net_change=after.net - before.net,
    )
