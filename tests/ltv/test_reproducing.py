"""A past night worked out once more: the same from the same facts, else the corrected input and the customer by name."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from psycopg.sql import Identifier

from crm.common import sql
from crm.common.choices import JobState
from crm.common.models import JobRun
from customers.models import Customer, FormerRecord, Purchase, PurchaseCorrection
from customers.services import erasure, merging, rates
from ltv.choices import ModelStep
from ltv.models import CurrentRun, LtvRun, Reproduction
from ltv.services import night, publishing, reproducing
from tests.customers.importing import HEADER, applied
from tests.factories import CustomerFactory, PurchaseFactory, RefundFactory, ReproductionFactory

pytestmark = pytest.mark.django_db
DAY = date(
    2024, 3, 5
)  # long past: the calendar is held there, so that "since" is any time after the test's night
ROUNDED = ("formula_ltv", "margin_clv", "expected_value", "clv")
COMPARED = ("orders", "frequency", "recency_days", "age_days", "revenue", "margin", "average_purchase", *ROUNDED, "expected_purchases")  # fmt: skip
OPENED = datetime(2023, 1, 2, 3, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _shop(shop):
    shop.frozen_on = DAY
    shop.save()
    return shop


def buy(customer: Customer, day: date, amount: str = "50", **facts) -> Purchase:
    at = datetime(day.year, day.month, day.day, 3, tzinfo=UTC)
    return PurchaseFactory(customer=customer, purchased_at=at, amount=Decimal(amount), **facts)


def regulars(count: int) -> list[Customer]:
    """Customers of one to eight purchases in the last year, some of known cost, some with money given back.

    All of it recorded a day ago.
    """
    dice = np.random.default_rng(5)
    with time_machine.travel(timezone.now() - timedelta(days=1)):
        made = CustomerFactory.create_batch(count, acquired_at=OPENED)
        bought = Purchase.objects.bulk_create(_history(dice, made))
        for purchase in bought[3::9]:
            RefundFactory(purchase=purchase, amount=Decimal("3.20"))
    return made


def _history(dice: np.random.Generator, made: list[Customer]) -> Iterator[Purchase]:
    for customer in made:
        first = DAY - timedelta(days=int(dice.integers(200, 400)))
        for n in range(int(dice.integers(1, 9))):
            amount = Decimal(int(dice.integers(500, 9000))) / 100
            on = first + timedelta(days=n * 23)
            at = datetime(on.year, on.month, on.day, 3, tzinfo=UTC)
            cost = round(amount * Decimal("0.61"), 3) if n % 3 == 1 else None
            yield PurchaseFactory.build(
                customer=customer, purchased_at=at, amount=amount, base_cost=cost, rate=1
            )


def run_night() -> LtvRun:
    """Tonight's valuation."""
    night.request_recalculation(by=None, now=timezone.now())
    assert night.run_due(clock=timezone.now) >= 1
    return CurrentRun.objects.get().run


def check(run: LtvRun) -> Reproduction:
    asked = reproducing.request_check(run=run, by=None, now=timezone.now())
    assert reproducing.run_due(clock=timezone.now) == 1
    asked.refresh_from_db()
    assert asked.job.state == JobState.DONE, asked.job.error
    return asked


def drop(run: LtvRun) -> None:
    sql.execute("ltv/table_drop", parts={"table": Identifier(publishing.table_name(run.pk))})


def tamper(run: LtvRun, change: str, customer_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {publishing.table_name(run.pk)} SET {change} WHERE customer_id = {customer_id}"
        )


def causes(found: Reproduction) -> dict[str, tuple[int, int, list[int]]]:
    return {one["cause"]: (one["customers"], one["inputs"], one["first"]) for one in found.findings}


# -- the same ----------------------------------------------------------------------------------------------------


def test_an_untouched_shop_comes_out_the_same(shop):
    regulars(30)
    CustomerFactory.create_batch(3)  # who never bought
    run = run_night()
    assert run.step != ModelStep.FORMULA
    shop.margin_rate, shop.retention_months = Decimal("0.5"), Decimal(9)  # today's settings are not the run's
    shop.save()

    found = check(run)

    assert (found.customers, found.differing, found.findings) == (33, 0, [])
    stages = {stage.name: stage for stage in found.job.stages.all()}
    assert tuple(stages) == reproducing.STAGES
    assert stages["compare"].facts == {"run": run.pk, "customers": 33, "differing": 0}


def test_an_earlier_night_comes_out_the_same_after_later_ones_with_other_parameters(shop):
    made = regulars(30)
    run = run_night()
    for days in (1, 2):
        shop.frozen_on = DAY + timedelta(days=days)
        shop.save()
        buy(made[days], DAY + timedelta(days=days - 1), "700")
        run_night()
    later = CurrentRun.objects.get().run
    assert later.parameters != run.parameters

    assert check(run).findings == []
    assert check(later).findings == []


def test_a_night_without_a_model_comes_out_the_same():
    regulars(2)
    run = run_night()
    assert run.step == ModelStep.FORMULA

    assert (check(run).customers, check(run).differing) == (2, 0)


def test_customers_by_ranges_of_ids_come_out_as_all_at_once(monkeypatch):
    made = regulars(30)
    run = run_night()
    buy(made[7], DAY - timedelta(days=3))
    stranger = CustomerFactory()
    buy(stranger, DAY - timedelta(days=3))  # above every id of the run
    whole = check(run)

    monkeypatch.setattr(reproducing.recomputing, "RANGE", 4)
    monkeypatch.setattr(reproducing.recomputing, "BLOCK", 3)

    again = check(run)
    assert (again.customers, again.differing, again.findings) == (31, 2, whole.findings)


# -- what was corrected since ------------------------------------------------------------------------------------


def test_every_corrected_input_is_named_with_whose_it_is(staff):
    """Purchases, refunds and rates that came later, an order that an import corrected, two customers merged."""
    row = "A-1,C1,kim@mail.example,Kim,2024-02-03,{},USD,4.00,web"
    applied(f"{HEADER}\n{row.format('12.50')}", timezone.now() - timedelta(days=1))
    made = regulars(30)
    with time_machine.travel(timezone.now() - timedelta(days=1)):
        buy(made[5], DAY - timedelta(days=30), "90000", currency="KRW")
    run = run_night()

    for days in (5, 9):
        buy(made[3], DAY - timedelta(days=days))
    buy(made[4], DAY)  # on the run's day: not counted then, not counted now
    newcomer = CustomerFactory()
    RefundFactory(
        purchase=buy(newcomer, DAY - timedelta(days=40)), amount=Decimal(20)
    )  # one thing came, not two
    rates.set_rate(currency="KRW", day=DAY - timedelta(days=60), rate=Decimal("0.00075"))
    applied(f"{HEADER}\n{row.format('12.75')}", timezone.now())
    bought, all_given_back = (made[place].purchases.order_by("pk").first() for place in (8, 9))
    RefundFactory(purchase=bought, amount=Decimal("1.25"))
    RefundFactory(purchase=all_given_back, amount=all_given_back.amount - all_given_back.refunded)
    merging.merge_customers(keep=made[11], other=made[12], by=staff, at=timezone.now())

    found = check(run)
    kim = Customer.objects.get(external_id="C1")
    assert (found.customers, found.differing) == (32, 8)
    assert causes(found) == {
        "purchases": (2, 3, [made[3].pk, newcomer.pk]),
        "refunds": (2, 2, [made[8].pk, made[9].pk]),
        "rates": (1, 1, [made[5].pk]),
        "facts": (1, 1, [kim.pk]),
        "merged": (2, 2, [made[11].pk]),  # one has more than then, one is gone: named by who they are now
    }


def test_merged_customers_are_named_after_the_trace_of_it_was_erased(staff):
    made = regulars(30)
    run = run_night()
    merging.merge_customers(keep=made[1], other=made[2], by=staff, at=timezone.now())
    erasure.erase_customer(customer=made[1], by=staff, at=timezone.now())
    assert not FormerRecord.objects.exists()

    found = causes(check(run))

    assert found["merged"] == (2, 2, [made[1].pk])
    assert set(found) == {"merged", "erased"}


def test_who_was_erased_is_told_and_still_comes_out_the_same(staff):
    made = regulars(30)
    run = run_night()
    erasure.erase_customer(customer=made[6], by=staff, at=timezone.now())

    found = check(run)

    assert found.differing == 0
    assert causes(found) == {"erased": (1, 0, [made[6].pk])}


def test_without_a_model_the_others_follow_whom_a_correction_is_of():
    made = regulars(2)
    run = run_night()
    assert run.step == ModelStep.FORMULA
    buy(made[0], DAY - timedelta(days=2))

    assert causes(check(run)) == {
        "purchases": (1, 1, [made[0].pk]),
        "shared": (1, 0, [made[1].pk]),
    }


def test_a_write_that_was_under_way_when_the_night_looked_is_named():
    made = regulars(30)
    run = run_night()
    late = buy(made[3], DAY - timedelta(days=5))
    Purchase.objects.filter(pk=late.pk).update(recorded_at=run.cut_at - timedelta(seconds=20))

    assert causes(check(run)) == {"purchases": (1, 1, [made[3].pk])}


def test_what_nobody_recorded_is_unknown():
    made = regulars(30)
    run = run_night()
    Purchase.objects.filter(customer=made[4]).update(base_amount=Decimal(11))
    PurchaseCorrection.objects.all().delete()
    tamper(run, "clv = clv + 1000", made[5].pk)

    assert causes(check(run)) == {"unknown": (2, 0, [made[4].pk, made[5].pk])}


def test_every_figure_is_compared_to_the_thousandth():
    made = regulars(30)
    run = run_night()
    for place, column in enumerate(COMPARED):
        step = {"expected_purchases": "0.000001"}.get(column, "2" if column in ROUNDED else "1")
        tamper(run, f"{column} = {column} + {step}", made[place].pk)

    assert causes(check(run)) == {
        "unknown": (len(COMPARED), 0, [customer.pk for customer in made[: len(COMPARED)]])
    }


# -- asking ------------------------------------------------------------------------------------------------------


def test_a_night_that_is_not_kept_is_refused(shop):
    regulars(3)
    run = run_night()
    drop(run)

    with pytest.raises(reproducing.NotKept):
        reproducing.request_check(run=run, by=None, now=timezone.now())

    assert not JobRun.objects.filter(job=reproducing.JOB).exists()


def test_a_night_dropped_before_a_worker_came_fails_and_says_so():
    regulars(3)
    run = run_night()
    asked = reproducing.request_check(run=run, by=None, now=timezone.now())
    drop(run)

    reproducing.run_due(clock=timezone.now)

    asked.refresh_from_db()
    assert asked.checked_at is None
    assert asked.job.state == JobState.FAILED
    assert "not kept whole" in asked.job.error


def test_books_in_another_currency_are_refused(shop):
    regulars(3)
    run = run_night()
    shop.base_currency = "KRW"
    shop.save()

    with pytest.raises(reproducing.OtherCurrency):
        reproducing.request_check(run=run, by=None, now=timezone.now())


def test_two_runs_of_one_date_asked_for_at_once_are_both_checked():
    made = regulars(10)
    run = run_night()
    buy(made[0], DAY - timedelta(days=2))
    other = run_night()

    asked = [reproducing.request_check(run=one, by=None, now=timezone.now()) for one in (run, other, run)]
    assert reproducing.run_due(clock=timezone.now) == 1

    assert Reproduction.objects.count() == 2
    assert [Reproduction.objects.get(pk=one.pk).differing for one in asked] == [1, 0, 1]


def test_a_check_that_was_killed_is_made_again():
    regulars(10)
    run = run_night()
    asked = reproducing.request_check(run=run, by=None, now=timezone.now())
    JobRun.objects.filter(pk=asked.job_id).update(
        state=JobState.RUNNING, started_at=timezone.now(), attempts=1
    )

    assert reproducing.run_due(clock=timezone.now) == 1

    asked.refresh_from_db()
    assert (asked.customers, asked.differing, asked.job.attempts) == (10, 0, 2)


def test_a_check_changes_no_figure_and_asks_as_often_for_forty_as_for_ten():
    made = regulars(10)
    run = run_night()
    for customer in made[:2]:
        buy(customer, DAY - timedelta(days=2))
    few = asked_by(run)

    made = regulars(30)
    run = run_night()
    before = _figures(run)
    for customer in made[:8]:
        buy(customer, DAY - timedelta(days=2))

    assert asked_by(run) == few
    assert _figures(run) == before
    assert CurrentRun.objects.get().run == run


def asked_by(run: LtvRun) -> int:
    with CaptureQueriesContext(connection) as asked:
        check(run)
    return len(asked.captured_queries)


def _figures(run: LtvRun) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {publishing.table_name(run.pk)} ORDER BY customer_id")
        return cursor.fetchall()


def test_the_database_refuses_more_differing_than_there_were():
    with pytest.raises(IntegrityError, match="reproduction_part_of_the_customers"), transaction.atomic():
        ReproductionFactory(customers=3, differing=4)
