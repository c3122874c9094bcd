"""What must hold after every night, whatever happened: each stored figure against the books in plain Python."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from django.db import transaction

from crm.common import sql
from customers.models import Customer, Purchase
from ltv import reports
from ltv.models import CustomerLtv, CustomerOutlook, DailyRevenue, LtvRun, PurchaseSummary
from ltv.services.changes import REASONS
from ltv.services.today import value_today
from tests.ltv.ledger import Ledger, Worth, formula_ltv, months_observed


@dataclass(frozen=True)
class Policy:
    """What a night is to value by."""

    as_of: date
    currency: str
    margin_rate: Decimal
    retention_months: Decimal


@dataclass(frozen=True)
class Expected:
    """What the books say at the moment a night has read the ledger."""

    policy: Policy
    worths: dict[int, Worth]
    customers: set[int]
    settled: bool  # nothing has happened since


@dataclass(frozen=True)
class Before:
    """The night before: what its successor's changes start from."""

    run: LtvRun
    clv: dict[int, Decimal]


def night(run: LtvRun, ledger: Ledger, expected: Expected, before: Before | None) -> Before:
    """All of the published ``run`` is what the books say, and its changes lead from ``before`` to it."""
    policy, worths = expected.policy, expected.worths
    assert Policy(run.as_of, run.currency, run.margin_rate, run.retention_months) == policy
    stored = {row.customer_id: row for row in CustomerLtv.objects.all()}
    outlooks = list(CustomerOutlook.objects.all())
    assert len(outlooks) == len(stored)
    known = set(Customer.objects.values_list("pk", flat=True))
    assert expected.customers <= set(stored) <= known  # who comes during the night is in it or not
    for who, row in stored.items():
        customer(row, worths.get(who, Worth()), policy)
    totals(run, stored, outlooks, worths)
    summaries(worths)
    facts(ledger)
    if expected.settled:
        assert set(stored) == known
        assert by_day() == ledger.by_day()
    assert unexplained(run, outlooks, before) == []
    full_pass(run, settled=expected.settled)
    return Before(run, {row.customer_id: row.clv for row in outlooks})


def customer(row: CustomerLtv, worth: Worth, policy: Policy) -> None:
    """The figures of one customer are the reference's: money to the thousandth, ratios to 1e-9."""
    last = policy.as_of - timedelta(days=1)
    frequency = max(len(worth.days) - 1, 0)
    assert (row.orders, row.frequency, row.revenue) == (worth.orders, frequency, worth.revenue)
    assert near(row.margin, worth.margin)
    ages = [(last - day).days for day in (worth.days[-1], worth.days[0])] if worth.days else [None, None]
    assert [row.recency_days, row.age_days] == ages
    if not worth.days:
        figures = row.average_purchase, row.purchases_per_month, row.formula_ltv, row.margin_clv
        assert figures == (None, None, None, None)
        return
    formula = formula_ltv(worth, policy.as_of, policy.retention_months)
    share = Fraction(row.margin) / Fraction(worth.revenue) if worth.revenue else Fraction(policy.margin_rate)
    assert near(row.average_purchase, Fraction(worth.revenue) / worth.orders)
    monthly = float(worth.orders / months_observed(worth, policy.as_of))
    assert row.purchases_per_month == pytest.approx(monthly, rel=1e-9)
    assert near(row.formula_ltv, formula)
    assert near(row.margin_clv, formula * share)


def near(stored: Decimal | None, exact: Fraction) -> bool:
    """Rounded to the thousandth, either way at its middle."""
    assert stored is not None
    return abs(Fraction(stored) - exact) <= Fraction(1, 2000) + abs(exact) / 10**12


def totals(
    run: LtvRun, stored: dict[int, CustomerLtv], outlooks: list[CustomerOutlook], worths: dict[int, Worth]
) -> None:
    """The run's are the sums of its rows, and its revenue that of the ledger."""
    assert run.revenue == sum((one.revenue for one in worths.values()), Decimal(0))
    assert (run.customers, run.buyers) == (len(stored), len(worths))
    assert run.clv == sum((row.clv for row in outlooks), Decimal(0))
    assert run.expected_value == sum((row.expected_value or 0 for row in stored.values()), Decimal(0))


def summaries(worths: dict[int, Worth]) -> None:
    names = ("customer_id", "first_day", "last_day", "days", "orders", "first_revenue", "revenue")
    assert {row[0]: row[1:] for row in PurchaseSummary.objects.values_list(*names)} == {
        who: (one.days[0], one.days[-1], len(one.days), one.orders, one.first_revenue, one.revenue)
        for who, one in worths.items()
    }


def facts(ledger: Ledger) -> None:
    """Purchases are what was said, at the rate known for their day when they came to have one."""
    names = ("customer_id", "purchased_on", "rate", "cost", "base_cost", "refunded")
    stored = {row[0]: row[1:] for row in Purchase.objects.values_list("external_id", *names)}
    assert stored == {
        name: (one.who, one.on, one.rate, one.cost, one.base_cost, one.returned)
        for name, one in ledger.orders.items()
    }


def by_day() -> dict[date, tuple[Decimal, int]]:
    rows = DailyRevenue.objects.exclude(revenue=0, purchases=0)
    return {row.day: (row.revenue, row.purchases) for row in rows}


def unexplained(run: LtvRun, rows: list[CustomerOutlook], before: Before | None) -> list[CustomerOutlook]:
    """Customers whose expected margin is not last night's and the reasons for its change, to the thousandth."""
    if before is None or before.run.as_of > run.as_of:
        assert run.compared_with_id is None
        return [one for one in rows if (one.clv_before, *_reasons(one)) != (None,) * (len(REASONS) + 1)]
    assert run.compared_with_id == before.run.pk
    return [
        one
        for one in rows
        if one.clv_before != before.clv.get(one.customer_id)
        or one.clv != (one.clv_before or 0) + sum(_reasons(one))
    ]


def _reasons(one: CustomerOutlook) -> tuple[Decimal, ...]:
    return tuple(getattr(one, f"change_{reason}") for reason in REASONS)


def full_pass(run: LtvRun, *, settled: bool) -> None:
    """It finds nothing that differs; nothing unmarked, where something has happened since the night read."""
    everybody = {"low": 0, "high": 2**62, "audit": True, "remember": False}
    with transaction.atomic():  # undone, for the nights after this one
        asked = {**everybody, "as_of": run.as_of, "margin_rate": run.margin_rate}
        again = sql.rows("ltv/rebuild_part", asked)[0]
        transaction.set_rollback(True)
    assert again["missed"] == 0
    if settled:
        assert (again["corrected"], again["gone"]) == (0, 0)
    assert run.job is not None
    stage = run.job.stages.get(name="summaries")
    if stage.facts.get("audit"):
        assert (stage.facts["missed"], stage.facts["days"]) == (0, 0)


def pages(ledger: Ledger, today: date) -> None:
    """Every customer's page shows what is known by the end of today, whatever happened since the night."""
    run = reports.current_run()
    assert run is not None
    as_of = max(run.as_of, today + timedelta(days=1))
    worths = ledger.worths(as_of, run.margin_rate)
    policy = Policy(as_of, run.currency, run.margin_rate, run.retention_months)
    for who in Customer.objects.exclude(external_id__startswith="S-").values_list("pk", flat=True):
        card, worth = reports.value_card(who, outlook=True), worths.get(who, Worth())
        moved = value_today(card, today) if card else None
        if moved:
            customer(moved.figures, worth, policy)
        elif card:
            assert (card.figures.orders, card.figures.revenue) == (worth.orders, worth.revenue)
