"""A shop to which anything may happen on any day and in any night, its books kept a second time beside it.

Purchases in several currencies, with rates that come late or never; refunds, corrections by import, orders dated long
ago or tomorrow, deletions by hand; customers merged and erased; steady nights, Mondays, nights again, nights in whose
midst something happens, the worker dies or a stage fails, a changed margin rate, a calendar held in the past.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from crm.common.choices import JobState, StageState
from crm.common.models import JobRun, JobStage, Shop
from customers.models import Customer, Purchase, Refund
from customers.services import erasure, merging, purchases, rates
from ltv.models import CurrentRun, LtvRun
from ltv.services import night
from ltv.services.merging import NightAtWork
from tests.customers.importing import HEADER, applied
from tests.factories import CustomerFactory
from tests.ltv import agreement
from tests.ltv.ledger import Ledger

Basket = tuple[int, int, str, int, time, int | None]
Happenings = list[tuple[Any, ...]]

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
meanwhiles = st.lists(st.one_of(*SALES, *RETURNS, *CORRECTIONS, *PEOPLE), max_size=3)


def money(amount: int, currency: str) -> Decimal:
    """Odd cents; whole yen and won."""
    return Decimal(amount).scaleb(-2) if DIGITS[currency] == 2 else Decimal(amount)


class PowerCut(BaseException):
    """Ends the worker's process on the spot."""


class Refused(Exception):
    """Something the night cannot go on with."""


class LivingShop(RuleBasedStateMachine):
    """What may happen to a shop; after each of its nights ``agreement`` says what must hold."""

    nights = 0  # compared, of all shops together

    def __init__(self) -> None:
        super().__init__()
        self.alone = transaction.atomic()
        self.alone.__enter__()
        self.now, self.sold, self.refunds = OPENED, 0, 0
        self.last: agreement.Before | None = None
        self.at_work = False  # a night has begun and not ended

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
        self.ledger = Ledger(ZoneInfo(zone), base)
        CustomerFactory.create_batch(5)
        Customer.objects.bulk_create(
            Customer(name=f"Stranger {n}", acquired_at=OPENED, external_id=f"S-{n}") for n in range(STRANGERS)
        )
        self.rate_comes("EUR" if base == "USD" else "USD", 30, 1_077_777_777)
        self.people_buy(baskets)
        self._night()

    # -- who and what there is ----------------------------------------------------------------------------

    def customers(self) -> list[Customer]:
        known = Customer.objects.filter(erased_at=None).exclude(external_id__startswith="S-")
        return list(known.order_by("pk"))

    def _one(self, rows: Any, which: int) -> Any:
        found = list(rows)
        return found[which % len(found)] if found else None

    def _order(self, which: int) -> Purchase | None:
        return self._one(Purchase.objects.order_by("pk"), which)

    # -- what happens -------------------------------------------------------------------------------------

    @rule(happenings=days, passing=st.sampled_from([1, 1, 1, 2, 7]))
    def a_day_passes(self, happenings: Happenings, passing: int = 1) -> None:
        self._happen(happenings)
        self.now += timedelta(days=passing)
        self._night()

    @rule(
        before=days,
        after=st.sampled_from(["summaries", "predictions", "figures", "checks"]),
        meanwhile=meanwhiles,
        fault=st.sampled_from([None, PowerCut, Refused]),
    )
    def a_night_is_disturbed(
        self, before: Happenings, after: str, meanwhile: Happenings, fault: type[BaseException] | None
    ) -> None:
        """Things happen while a night is at work; after its worker died; or after it failed, before staff retry it."""
        self._happen(before)
        self.now += timedelta(days=1)
        self._night(after, meanwhile, fault)

    def _happen(self, happenings: Happenings) -> None:
        for what, *facts in happenings:
            getattr(self, what)(*facts)
        agreement.pages(self.ledger, Shop.current().business_date(self.now))

    def people_buy(self, baskets: list[Basket]) -> None:
        rows = [self._row(*basket) for basket in baskets]
        result = purchases.record_purchases(rows=rows, source="shop", at=self.now)
        assert (result.created, result.errors) == (len(rows), [])

    def _row(
        self, who: int, amount: int, currency: str, ago: int, hour: time, cost: int | None
    ) -> dict[str, Any]:
        self.sold += 1
        buyer = self._one(self.customers(), who)
        day = datetime.combine(self.now.date() - timedelta(days=ago), hour, tzinfo=UTC)
        row = {
            "external_id": f"O-{self.sold}",
            "purchased_at": min(day, self.now + timedelta(hours=23)),
            "amount": money(amount, currency),
            "currency": currency,
            "cost": None if cost is None else money(amount * cost // 100, currency),
        }
        self.ledger.sell(row["external_id"], buyer.pk, *[*row.values()][1:])
        return {**row, "customer": buyer.public_id}

    def money_goes_back(self, which: int, share: int, amount: int | None) -> None:
        order = self._order(which)
        if order is None or order.refunded == order.amount:
            return
        left, smallest = order.amount - order.refunded, money(1, order.currency)
        wanted = left * share / 100 if amount is None else min(money(amount, order.currency), left)
        returned = max(wanted // smallest * smallest, smallest)
        purchases.refund(
            purchase=order,
            external_id=f"R-{Refund.objects.count()}",
            amount=returned,
            refunded_at=max(order.purchased_at, self.now),
            at=self.now,
        )
        self.ledger.orders[order.external_id].returned += returned

    def an_import_corrects(self, which: int, amount: int, currency: str, ago: int) -> None:
        order = self._order(which)
        if order is None or order.customer.external_id is None:
            return
        kept = order.currency if order.refunded else currency
        total = max(money(amount, kept), order.refunded)
        day = (self.now - timedelta(days=ago)).date()
        row = f"{order.external_id},{order.customer.external_id},,,{day},{total:f},{kept},,"
        applied(f"{HEADER}\n{row}\n", self.now)
        midnight = datetime.combine(day, time(0), tzinfo=self.ledger.zone)
        self.ledger.correct(order.external_id, midnight, total, kept)

    def rate_comes(self, currency: str, ago: int, rate: int) -> None:
        if currency != self.ledger.currency:
            day, told = self.now.date() - timedelta(days=ago), Decimal(rate).scaleb(-9)
            rates.set_rate(currency=currency, day=day, rate=told)
            self.ledger.tell_rate(currency, day, told)

    def an_order_is_deleted_by_hand(self, which: int) -> None:
        order = self._one(Purchase.objects.filter(refunds=None).order_by("pk"), which)
        if order is not None:
            order.delete()
            del self.ledger.orders[order.external_id]

    def two_were_one(self, keep: int, other: int) -> None:
        known = self.customers()
        if len(known) <= 2:
            return
        first = known.pop(keep % len(known))
        second = self._one(known, other)
        if self.at_work:
            with pytest.raises(NightAtWork):
                merging.merge_customers(keep=first, other=second, by=None, at=self.now)
            return
        gone = second.pk
        merging.merge_customers(keep=first, other=second, by=None, at=self.now)
        self.ledger.merge(keep=first.pk, other=gone)

    def somebody_is_forgotten(self, who: int) -> None:
        known = self.customers()
        if len(known) > 2:
            erasure.erase_customer(customer=self._one(known, who), by=None, at=self.now)

    def somebody_comes(self) -> None:
        CustomerFactory()

    def policy_changes(self, margin: int, months: int) -> None:
        Shop.objects.update(margin_rate=Decimal(margin) / 100, retention_months=months)

    def the_calendar_is_held(self, ago: int | None) -> None:
        held = None if ago is None else self.now.date() - timedelta(days=ago)
        Shop.objects.update(frozen_on=held)

    # -- a night ------------------------------------------------------------------------------------------

    def _night(
        self,
        after: str = "",
        meanwhile: Happenings | None = None,
        fault: type[BaseException] | None = None,
    ) -> None:
        """Let a night come; with ``after`` something happens, or there is a fault, when that stage is done."""
        policy = self._policy()
        if fault is Refused and LtvRun.objects.filter(as_of__gt=policy.as_of).exists():
            fault = None  # of a day before a published one, staff may ask for another night, and not retry it
        found: list[agreement.Expected] = []

        def disturb() -> None:
            found.append(self._expected(policy, settled=False))
            self.at_work = fault is not Refused
            if fault:
                raise fault
            self._happen(meanwhile or [])

        with suppress(PowerCut):
            self._ring(self._clock(after, disturb))
        assert bool(after) == bool(found)
        if fault:
            self._happen(meanwhile or [])
            if not found[0].customers <= self._everybody():  # two became one: the night begins anew
                found.clear()
            self._go_on()
        self.at_work = False
        connection.check_constraints()
        failed = JobRun.objects.filter(state=JobState.FAILED).values_list("error", flat=True)
        assert list(failed) == []
        type(self).nights += 1
        expected = found[0] if found else self._expected(policy, settled=True)
        self.last = agreement.night(CurrentRun.objects.get().run, self.ledger, expected, self.last)

    def _go_on(self) -> None:
        """The next ring, after staff have asked for a night that failed to be tried again."""
        for job in JobRun.objects.filter(state=JobState.FAILED):
            night.retry(job=job, by=None, now=self.now)
        assert night.run_due(clock=lambda: self.now) == 1

    def _ring(self, clock: Callable[[], datetime]) -> None:
        if night.run_due(clock=clock) == 0:  # the calendar is held: staff ask for another
            night.request_recalculation(by=None, now=self.now)
            assert night.run_due(clock=clock) == 1

    def _clock(self, after: str, disturb: Callable[[], None]) -> Callable[[], datetime]:
        """The night asks what time it is at each turn: once, at the first one with ``after`` done, something happens."""
        left = [disturb]
        done = JobStage.objects.filter(run__state=JobState.RUNNING, name=after, state=StageState.DONE)

        def clock() -> datetime:
            if after and left and done.exists():
                left.pop()()
            return self.now

        return clock

    def _expected(self, policy: agreement.Policy, *, settled: bool) -> agreement.Expected:
        worths = self.ledger.worths(policy.as_of, policy.margin_rate)
        return agreement.Expected(policy, worths, self._everybody(), settled)

    def _everybody(self) -> set[int]:
        return set(Customer.objects.values_list("pk", flat=True))

    def _policy(self) -> agreement.Policy:
        shop, today = Shop.current(), self.now.astimezone(self.ledger.zone).date()
        as_of = min(today, shop.frozen_on or today)
        return agreement.Policy(as_of, shop.base_currency, shop.margin_rate, shop.retention_months)
