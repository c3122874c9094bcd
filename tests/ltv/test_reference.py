"""A shop that lives at random, and after every night each stored figure against plain Python.

Purchases in three currencies, with rates that come late or never; refunds, corrections by import, orders dated long
ago or tomorrow, deletions by hand; customers merged and erased; steady nights, Mondays, nights again, a changed margin
rate, a calendar held in the past. ``HYPOTHESIS_PROFILE=long`` lives longer (see ``LIVES``); a failure prints the blob
that brings it back.
"""

import os
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from crm.common import sql
from crm.common.choices import JobState
from crm.common.models import JobRun, Shop
from customers.models import Customer, ExchangeRate, Purchase, Refund
from customers.services import erasure, merging, purchases, rates
from ltv.models import CurrentRun, CustomerLtv, CustomerOutlook, LtvRun, PurchaseSummary
from ltv.services import night
from tests.customers.importing import HEADER, applied
from tests.factories import CustomerFactory
from tests.ltv.ledger import Worth, formula_ltv, months_observed, worths

Basket = tuple[int, int, str, int, time, int | None]
pytestmark = pytest.mark.django_db(transaction=True)

LIVES = {"": (5, 9), "long": (100_000, 30)}  # shops, and how much happens in each
ZONES = ["Asia/Seoul", "America/New_York", "Pacific/Kiritimati"]
DIGITS = {"USD": 2, "KRW": 0, "EUR": 2, "JPY": 0}
OPENED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
STRANGERS = 60  # who never buy: with them a few marks are few, and a night takes up only what changed

place = st.integers(0, 10**6)
currencies = st.sampled_from([*DIGITS])
cents = st.integers(1, 2_000_000)
# Today and tomorrow, days around the turn of a month, and long ago; the second before and after midnight too.
days_ago = st.one_of(
    st.integers(-1, 0), st.integers(-1, 3), st.integers(0, 60), st.sampled_from([365, 366, 4000])
)
hours = st.sampled_from(
    [time(0, 0, 1), time(3, 0), time(9, 59, 59), time(10, 0), time(14, 59, 59), time(23, 59, 59)]
)

# Who, how much, in which currency, how long ago, at what time, and the cost in percent where it is known.
basket = st.tuples(place, cents, currencies, days_ago, hours, st.none() | st.integers(0, 150))


def happens(what: str, *facts: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    """One thing that may happen on a day, by the name of the method that does it, with its facts."""
    return st.tuples(st.just(what), *facts)


# What is named twice happens twice as often.
SALES = [happens("people_buy", st.lists(basket, min_size=1, max_size=3))] * 4
RETURNS = [happens("money_goes_back", place, st.sampled_from([1, 33, 99, 100, 100]), st.none() | cents)] * 3
CORRECTIONS = [
    happens("an_import_corrects", place, cents, currencies, st.integers(1, 400)),
    happens(
        "rate_comes",
        currencies,
        st.integers(0, 3) | st.integers(0, 400),
        st.integers(10**6, 2 * 10**12),
    ),
    happens("an_order_is_deleted_by_hand", place),
]
PEOPLE = [
    happens("two_were_one", place, place),
    happens("somebody_is_forgotten", place),
    happens("somebody_comes"),
]
POLICY = [
    happens("policy_changes", st.integers(0, 100), st.integers(1, 60)),
    happens("the_calendar_is_held", st.none() | st.integers(0, 40)),
]
days = st.lists(st.one_of(*SALES, *RETURNS, *CORRECTIONS, *PEOPLE, *POLICY), min_size=1, max_size=6)


def money(amount: int, currency: str) -> Decimal:
    """Odd cents; whole yen and won."""
    return Decimal(amount).scaleb(-2) if DIGITS[currency] == 2 else Decimal(amount)


class LivingShop(RuleBasedStateMachine):
    """What may happen to a shop, and what must hold after its nights."""

    nights = 0  # compared, of all shops together

    def __init__(self) -> None:
        super().__init__()
        self.alone = transaction.atomic()
        self.alone.__enter__()
        self.now, self.orders = OPENED, 0

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.alone.__exit__(None, None, None)

    @initialize(
        zone=st.sampled_from(ZONES),
        base=st.sampled_from(["USD", "KRW"]),
        baskets=st.lists(basket, min_size=8, max_size=12),
    )
    def open(self, zone: str, base: str, baskets: list[Basket]) -> None:
        Shop.objects.update_or_create(only_row=True, defaults={"time_zone": zone, "base_currency": base})
        self.base = base
        CustomerFactory.create_batch(5)
        self.strangers = [
            Customer(name=f"Stranger {n}", acquired_at=OPENED, external_id=f"S-{n}") for n in range(STRANGERS)
        ]
        Customer.objects.bulk_create(self.strangers)
        self.rate_comes("EUR" if base == "USD" else "USD", 30, 1_077_777_777)
        self.people_buy(baskets)
        self._night()

    # -- who and what there is ----------------------------------------------------------------------------

    def _customers(self) -> list[Customer]:
        known = Customer.objects.filter(erased_at=None).exclude(external_id__startswith="S-")
        return list(known.order_by("pk"))

    def _one(self, rows: Any, which: int) -> Any:
        found = list(rows)
        return found[which % len(found)] if found else None

    def _order(self, which: int) -> Purchase | None:
        return self._one(Purchase.objects.order_by("pk"), which)

    # -- what happens -------------------------------------------------------------------------------------

    @rule(happenings=days, passing=st.sampled_from([1, 1, 1, 2, 7]))
    def a_day_passes(self, happenings: list[tuple[Any, ...]], passing: int) -> None:
        for what, *facts in happenings:
            getattr(self, what)(*facts)
        self.now += timedelta(days=passing)
        self._night()

    def people_buy(self, baskets: list[Basket]) -> None:
        rows = [self._row(*basket) for basket in baskets]
        result = purchases.record_purchases(rows=rows, source="shop", at=self.now)
        assert (result.created, result.errors) == (len(rows), [])

    def _row(
        self, who: int, amount: int, currency: str, ago: int, hour: time, cost: int | None
    ) -> dict[str, Any]:
        self.orders += 1
        day = datetime.combine(self.now.date() - timedelta(days=ago), hour, tzinfo=UTC)
        return {
            "customer": self._one(self._customers(), who).public_id,
            "external_id": f"O-{self.orders}",
            "amount": money(amount, currency),
            "currency": currency,
            "purchased_at": min(day, self.now + timedelta(hours=23)),
            "cost": None if cost is None else money(amount * cost // 100, currency),
        }

    def money_goes_back(self, which: int, share: int, amount: int | None) -> None:
        order = self._order(which)
        if order is None or order.refunded == order.amount:
            return
        left, smallest = order.amount - order.refunded, money(1, order.currency)
        wanted = left * share / 100 if amount is None else min(money(amount, order.currency), left)
        purchases.refund(
            purchase=order,
            external_id=f"R-{Refund.objects.count()}",
            amount=max(wanted // smallest * smallest, smallest),
            refunded_at=max(order.purchased_at, self.now),
            at=self.now,
        )

    def an_import_corrects(self, which: int, amount: int, currency: str, ago: int) -> None:
        order = self._order(which)
        if order is None or order.customer.external_id is None:
            return
        kept = order.currency if order.refunded else currency
        total = max(money(amount, kept), order.refunded)
        day = (self.now - timedelta(days=ago)).date()
        row = f"{order.external_id},{order.customer.external_id},,,{day},{total:f},{kept},,"
        applied(f"{HEADER}\n{row}\n", self.now)
        order.refresh_from_db()
        assert (order.amount, order.currency) == (total, kept)

    def rate_comes(self, currency: str, ago: int, rate: int) -> None:
        if currency != self.base:
            day = self.now.date() - timedelta(days=ago)
            rates.set_rate(currency=currency, day=day, rate=Decimal(rate).scaleb(-9))

    def an_order_is_deleted_by_hand(self, which: int) -> None:
        order = self._one(Purchase.objects.filter(refunds=None).order_by("pk"), which)
        if order is not None:
            order.delete()

    def two_were_one(self, keep: int, other: int) -> None:
        known = self._customers()
        if len(known) > 2:
            first = known.pop(keep % len(known))
            merging.merge_customers(keep=first, other=self._one(known, other), by=None, at=self.now)

    def somebody_is_forgotten(self, who: int) -> None:
        customer = self._one(self._customers(), who)
        if len(self._customers()) > 2:
            erasure.erase_customer(customer=customer, by=None, at=self.now)

    def somebody_comes(self) -> None:
        CustomerFactory()

    def policy_changes(self, margin: int, months: int) -> None:
        Shop.objects.update(margin_rate=Decimal(margin) / 100, retention_months=months)

    def the_calendar_is_held(self, ago: int | None) -> None:
        held = None if ago is None else self.now.date() - timedelta(days=ago)
        Shop.objects.update(frozen_on=held)

    # -- what must hold -----------------------------------------------------------------------------------

    def _night(self) -> None:
        if night.run_due(clock=lambda: self.now) == 0:  # the calendar is held: staff ask for another
            night.request_recalculation(by=None, now=self.now)
            assert night.run_due(clock=lambda: self.now) == 1
        connection.check_constraints()
        failed = JobRun.objects.filter(state=JobState.FAILED).values_list("error", flat=True)
        assert list(failed) == []
        type(self).nights += 1
        self._everything_agrees(Shop.current(), CurrentRun.objects.get().run)

    def _everything_agrees(self, shop: Shop, run: LtvRun) -> None:
        expected = worths(shop, run.as_of, run.margin_rate)
        stored = {row.customer_id: row for row in CustomerLtv.objects.all()}
        assert CustomerLtv.objects.count() == len(stored)
        assert set(stored) == set(Customer.objects.values_list("pk", flat=True))
        for who, row in stored.items():
            agrees(row, expected.get(who, Worth()), run)
        assert run.revenue == sum((one.revenue for one in expected.values()), Decimal(0))
        assert (run.customers, run.buyers) == (len(stored), len([w for w in expected.values() if w.orders]))
        assert {row.customer_id: _kept(row) for row in PurchaseSummary.objects.all()} == {
            who: (one.days[0], one.days[-1], len(one.days), one.orders, one.first_revenue, one.revenue)
            for who, one in expected.items()
        }
        assert unexplained() == []
        assert waiting_for_nothing(shop) == []
        _a_full_pass_finds_nothing(run)


def unexplained() -> list[CustomerOutlook]:
    """Customers whose expected margin is not last night's and the reasons for its change, to the cent."""
    reasons = [field.name for field in CustomerOutlook._meta.fields if field.name.startswith("change_")]
    valued = CustomerOutlook.objects.exclude(clv_before=None)
    return [
        one for one in valued if one.clv != one.clv_before + sum(getattr(one, name) or 0 for name in reasons)
    ]


def waiting_for_nothing(shop: Shop) -> list[Purchase]:
    """Purchases that have a rate without one being known for their day, or none although one is."""
    known = set(ExchangeRate.objects.values_list("currency", "day"))
    return [
        one
        for one in Purchase.objects.all()
        if (one.rate is not None)
        != (
            one.currency == shop.base_currency
            or any(
                code == one.currency and day <= one.purchased_at.astimezone(shop.zone).date()
                for code, day in known
            )
        )
    ]


def _kept(row: PurchaseSummary) -> tuple[object, ...]:
    return row.first_day, row.last_day, row.days, row.orders, row.first_revenue, row.revenue


def _a_full_pass_finds_nothing(run: LtvRun) -> None:
    everybody = {"low": 0, "high": 2**62, "audit": False, "remember": False}
    with transaction.atomic():  # undone, for the nights after this one
        asked = {**everybody, "as_of": run.as_of, "margin_rate": run.margin_rate}
        again = sql.rows("ltv/rebuild_part", asked)[0]
        transaction.set_rollback(True)
    assert (again["corrected"], again["gone"]) == (0, 0)
    stage = run.job.stages.get(name="summaries")
    if stage.facts.get("audit"):
        assert (stage.facts["missed"], stage.facts["days"]) == (0, 0)


def agrees(row: CustomerLtv, worth: Worth, run: LtvRun) -> None:
    """The stored figures of one customer are the reference's: money to the thousandth, ratios to 1e-9."""
    last = run.as_of - timedelta(days=1)
    assert (row.orders, row.frequency, row.revenue) == (
        worth.orders,
        max(len(worth.days) - 1, 0),
        worth.revenue,
    )
    assert near(row.margin, worth.margin)
    ages = [(last - day).days for day in (worth.days[-1], worth.days[0])] if worth.days else [None, None]
    assert [row.recency_days, row.age_days] == ages
    if not worth.days:
        figures = row.average_purchase, row.purchases_per_month, row.formula_ltv, row.margin_clv
        assert figures == (None, None, None, None)
        return
    formula = formula_ltv(worth, run.as_of, run.retention_months)
    share = Fraction(row.margin) / Fraction(worth.revenue) if worth.revenue else Fraction(run.margin_rate)
    assert near(row.average_purchase, Fraction(worth.revenue) / worth.orders)
    assert row.purchases_per_month == pytest.approx(
        float(worth.orders / months_observed(worth, run.as_of)), rel=1e-9
    )
    assert near(row.formula_ltv, formula)
    assert near(row.margin_clv, formula * share)


def near(stored: Decimal, exact: Fraction) -> bool:
    """Rounded to the thousandth, either way at its middle."""
    return abs(Fraction(stored) - exact) <= Fraction(1, 2000) + abs(exact) / 10**12


def test_every_figure_of_every_night_is_what_the_ledger_says(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    shops, steps = LIVES[os.environ.get("HYPOTHESIS_PROFILE", "")]
    LivingShop.nights = 0

    run_state_machine_as_test(LivingShop, settings=living(shops, steps))

    assert LivingShop.nights >= shops


def living(shops: int, steps: int) -> settings:
    return settings(
        max_examples=shops,
        stateful_step_count=steps,
        deadline=None,
        print_blob=True,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )
