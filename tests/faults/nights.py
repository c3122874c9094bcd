"""A small shop whose calendar the test turns, somebody who reads its figures all the time, and what must stay true."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
from django.db import Error, connection, connections
from django.utils import timezone
from psycopg.sql import Identifier, Literal

from campaigns.choices import CampaignStatus, Trigger
from campaigns.models import Enrolment, Message
from crm.common import sql
from crm.common.choices import JobState
from crm.common.models import JobPart, JobRun, Shop
from customers.models import Consent, Customer, Purchase, PurchaseChange, SegmentMembership
from customers.services import segments
from ltv.choices import RunState
from ltv.models import CurrentRun, CustomerLtv, CustomerOutlook, LtvRun, PurchaseSummary
from ltv.services import night, publishing
from tests.factories import CampaignFactory, VariantFactory
from tests.faults.harness import Bell, Nursery, wait_until

LAST = 0.94  # of the statements counted
PATIENCE = 45  # seconds
CUSTOMERS = 60
BUY_IN_A_DAY = 6
OPENED = datetime(2023, 1, 2, 3, 0, tzinfo=UTC)
FIRST_DAY = date(2024, 3, 5)  # long past: the calendar is held there and turned by hand
MONDAY = 0  # the night of the weekly audit, which tests of a steady night leave out
LATELY = {"all": [{"trait": "ltv.recency_days", "op": "<", "value": 9}]}
READ = "SELECT run_id, count(*), sum(revenue) / 1000, sum(clv) / 1000 FROM ltv_current GROUP BY run_id"
ATTACHED = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'ltv_customerltv'::regclass"


class NightShop:
    """Sixty customers with a year of purchases, a segment of who bought lately, and a campaign for who enters it."""

    job = night.JOB

    def __init__(self) -> None:
        Shop.objects.update_or_create(only_row=True, defaults={"time_zone": "Asia/Seoul"})
        self._dice = np.random.default_rng(4)
        self.day = FIRST_DAY
        self._people = _people()
        self._buy(
            (person, FIRST_DAY - timedelta(days=int(self._dice.integers(2, 400))))
            for person in self._people
            for _ in range(int(self._dice.integers(0, 7)))
        )
        segment = segments.create_segment(key="lately", name="Bought lately", rule=LATELY)
        self.campaign = CampaignFactory(
            segment=segment, status=CampaignStatus.RUNNING, trigger=Trigger.ON_ENTRY, audience_size=0
        )
        VariantFactory(campaign=self.campaign)
        self._held()
        self.attached = _attached()

    def next_day(self, *, margin_rate: Decimal | None = None) -> date:
        """A day passes on which a tenth of the customers bought. Another margin rate makes its night a full one."""
        self.day += timedelta(days=2 if (self.day + timedelta(days=1)).weekday() == MONDAY else 1)
        buyers = self._dice.choice(CUSTOMERS, BUY_IN_A_DAY, replace=False)
        self._buy((self._people[buyer], self.day - timedelta(days=1)) for buyer in buyers)
        self._held(**({} if margin_rate is None else {"margin_rate": margin_rate}))
        return self.day

    def close(self) -> None:
        """Take its runs' tables away: the flush after a test with real transactions only empties them."""
        for run in LtvRun.objects.all():
            sql.execute("ltv/table_drop", parts={"table": Identifier(publishing.table_name(run.pk))})

    def _held(self, **changes: object) -> None:
        Shop.objects.update(frozen_on=self.day, **changes)

    def _buy(self, purchases: Any) -> None:
        made = list(purchases)
        number = Purchase.objects.count()
        Purchase.objects.bulk_create(
            Purchase(
                customer=person,
                source="shop",
                external_id=f"{number + n}",
                purchased_at=datetime(day.year, day.month, day.day, 3, tzinfo=UTC),
                purchased_on=day,
                amount=(amount := Decimal(int(self._dice.integers(500, 9000))) / 100),
                currency="USD",
                rate=1,
                base_amount=amount,
            )
            for n, (person, day) in enumerate(made)
        )


def _people() -> list[Customer]:
    people = Customer.objects.bulk_create(
        Customer(
            name=f"Customer {number}",
            email=f"c{number}@mail.example",
            email_normalised=f"c{number}@mail.example",
            acquired_at=OPENED,
        )
        for number in range(CUSTOMERS)
    )
    facts = {"purpose": "marketing", "status": "granted", "source": "test", "wording": "yes"}
    Consent.objects.bulk_create(
        Consent(customer=person, stated_at=OPENED, recorded_at=OPENED, **facts) for person in people
    )
    return people


class Reader(threading.Thread):
    """Asks for the current figures all the time, as staff do, and keeps every answer."""

    def __init__(self, *, may_fail: bool = False) -> None:
        super().__init__(daemon=True)
        self.answers: list[tuple[Any, ...]] = []
        self.errors: list[str] = []
        self._may_fail, self._stop_reading = may_fail, threading.Event()

    def run(self) -> None:
        while not self._stop_reading.is_set():
            try:
                self.answers.append(tuple(_rows(READ)))
            except Error as error:
                self.errors.append(str(error))
                connection.close()
            time.sleep(0.003)
        connections.close_all()

    def __enter__(self) -> "Reader":
        self.start()
        return self

    def __exit__(self, problem: object, *_rest: object) -> None:
        self._stop_reading.set()
        self.join(20)
        if problem is None:
            self._check()

    def _check(self) -> None:
        """Each answer was one whole run, and none was older than the one before."""
        totals = {
            run.pk: (run.pk, run.customers, run.revenue, run.clv)
            for run in LtvRun.objects.filter(state=RunState.PUBLISHED)
        }
        assert self._may_fail or not self.errors, self.errors[:3]
        seen = []
        for answer in dict.fromkeys(self.answers):
            assert len(answer) == 1, f"{len(answer)} runs in one answer: {answer}"
            assert answer[0] == totals.get(answer[0][0]), "not the totals of a published run"
            seen.append(answer[0][0])
        assert seen == sorted(seen), "a reader went back in time"
        assert seen, "nobody read anything"


def assert_night_whole(shop: NightShop) -> LtvRun:
    """What must be true after the night of the shop's day, whatever happened in it."""
    tonight = JobRun.objects.get(job=night.JOB, business_date=shop.day, occurrence=0)
    assert tonight.state == JobState.DONE, tonight.error
    run = LtvRun.objects.get(as_of=shop.day, state=RunState.PUBLISHED)  # one, and only one
    assert CurrentRun.objects.get().run == run
    assert JobPart.objects.filter(stage__run=tonight, stage__name="figures").count() > 1
    assert not LtvRun.objects.filter(state=RunState.BUILDING).exists()
    assert PurchaseChange.objects.count() == 0
    _assert_no_table_left(shop)
    _assert_segment_and_campaign_follow(shop)
    return run


def _assert_no_table_left(shop: NightShop) -> None:
    """No table of nobody's, none that history need not keep, and in readers' plans the newest runs only."""
    assert sql.rows("ltv/partition_leftovers", {"run_id": None}) == []
    assert sql.rows("ltv/partition_detached", parts={"days": Literal(publishing.KEEP_DAYS)}) == []
    published = LtvRun.objects.filter(state=RunState.PUBLISHED).order_by("-pk")[: publishing.ATTACHED]
    wanted = shop.attached | {publishing.table_name(run.pk) for run in published}
    assert _attached() == wanted, f"left behind or missing: {_attached() ^ wanted}"
    assert _rows("SELECT count(*) FROM pg_inherits WHERE inhdetachpending") == [(0,)]


def _assert_segment_and_campaign_follow(shop: NightShop) -> None:
    stays = SegmentMembership.objects.filter(segment=shop.campaign.segment, left_at=None)
    members = list(stays.values_list("customer_id", flat=True))
    lately = {who for (who,) in _rows("SELECT customer_id FROM ltv_current WHERE recency_days < 9")}
    assert sorted(members) == sorted(lately)
    enrolled = list(Enrolment.objects.values_list("customer_id", flat=True))
    ever = set(SegmentMembership.objects.values_list("customer_id", flat=True))
    shop.campaign.refresh_from_db()
    assert sorted(enrolled) == sorted(ever)
    assert shop.campaign.audience_size == len(enrolled) == Message.objects.count()


def assert_figures_as_undisturbed(run: LtvRun) -> None:
    """Value the same day again in peace, everything from the facts, on the same parameters of the night before."""
    before = LtvRun.objects.filter(state=RunState.PUBLISHED, pk__lt=run.pk).order_by("-pk").first()
    LtvRun.objects.filter(pk=run.pk).update(parameters=before.parameters if before else {})
    PurchaseSummary.objects.all().delete()  # so that it is a full pass, which owes nothing to any mark
    asked = night.request_recalculation(by=None, now=timezone.now())
    night.run_due(clock=timezone.now)  # or a worker does that heard the bell first
    ended = JobRun.objects.filter(pk=asked.pk, state__in=[JobState.DONE, JobState.FAILED])
    wait_until(ended.exists, PATIENCE, "the undisturbed night")
    again = CurrentRun.objects.get().run
    assert again.pk > run.pk
    columns = ", ".join(_figures())
    one, other = (f"SELECT {columns} FROM {publishing.table_name(made.pk)}" for made in (run, again))
    differing = _rows(f"({one} EXCEPT {other}) UNION ALL ({other} EXCEPT {one})")
    assert differing == [], f"{len(differing)} rows differ, the first: {differing[:2]}"
    assert (again.customers, again.revenue, again.clv) == (run.customers, run.revenue, run.clv)


def tell(capsys: Any, fault: str, began: float, facts: str = "") -> None:
    """One line per fault."""
    with capsys.disabled():
        print(f"\nfault {fault:<44} {facts:<28} 0 violations {time.monotonic() - began:5.2f} s", end="")


def ended(shop: NightShop) -> Callable[[], bool]:
    """Whether the night of the shop's day is over."""
    over = JobRun.objects.filter(
        job=night.JOB, business_date=shop.day, state__in=[JobState.DONE, JobState.FAILED]
    )
    return over.exists


def ring_until(
    done: Callable[[], bool],
    nursery: Nursery,
    bell: Bell,
    what: str,
    restart: Callable[[], bool] = lambda: False,
) -> None:
    """One ring, which must be enough; another only where ``restart`` had to put a worker in a dead one's place."""
    bell.ring(night.JOB)

    def reached() -> bool:
        if restart():
            bell.ring(night.JOB)
        return done()

    try:
        wait_until(reached, PATIENCE, what)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{nursery.log()}") from None


def ring_until_ended(
    shop: NightShop, nursery: Nursery, bell: Bell, restart: Callable[[], bool] = lambda: False
) -> None:
    ring_until(ended(shop), nursery, bell, "the end of the night", restart)


def places(
    shop: NightShop,
    nursery: Nursery,
    bell: Bell,
    points: int,
    next_day: Callable[[], object] | None = None,
) -> Iterator[tuple[int, int]]:
    """Two undisturbed nights, of which the second is counted; then its statements and a place, evenly spread.

    Not the very last ones: how often a night looks whether others are done differs from night to night.
    """
    for _night in range(2):
        (next_day or shop.next_day)()
        nursery.arm(0)
        ring_until_ended(shop, nursery, bell)
        assert_night_whole(shop)
    statements = nursery.said()
    for point in range(points):
        yield statements, 1 + round(point * (statements * LAST - 1) / (points - 1))


def _figures() -> list[str]:
    """The columns that say what a customer is worth; why that changed depends on which run was before."""
    fields = {field.column for model in (CustomerLtv, CustomerOutlook) for field in model._meta.fields}
    return sorted(
        name for name in fields if name not in ("run_id", "clv_before") and not name.startswith("change_")
    )


def _attached() -> set[str]:
    return {name for (name,) in _rows(ATTACHED)}


def _rows(text: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(text)
        return cursor.fetchall()
