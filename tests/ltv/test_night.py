"""The night: every customer valued once per business date, published whole, followed by segments."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.common import jobs
from crm.common.choices import JobState
from crm.common.models import JobRun
from customers.models import Purchase, Segment
from ltv import reports
from ltv.choices import ModelStep, RunState
from ltv.core import formula
from ltv.models import CurrentRun, CustomerLtv, LtvRun, PurchaseSummary
from ltv.services import histories, night, publishing
from tests.factories import (
    ChannelFactory,
    CustomerFactory,
    PurchaseFactory,
    SpendFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _shop(shop):
    return shop


def buy(customer, day: date, amount: str = "50", **facts) -> Purchase:
    at = datetime.fromisoformat(f"{day}T03:00+00:00")  # noon in Seoul
    return PurchaseFactory(customer=customer, purchased_at=at, amount=Decimal(amount), **facts)


def a_base_of(customers: int, *, seed: int = 7) -> list:
    """Customers with 1 to 8 purchases over the last year."""
    rng = np.random.default_rng(seed)
    made = CustomerFactory.create_batch(customers)
    for customer in made:
        first = date(2025, 3, 1) + timedelta(days=int(rng.integers(0, 300)))
        gap = int(rng.integers(5, 60))
        for n in range(int(rng.integers(1, 9))):
            day = first + timedelta(days=n * gap)
            if day < date(2026, 3, 2):
                buy(customer, day, f"{rng.integers(10, 90)}")
    return made


def run_night(now: datetime) -> LtvRun:
    night.run_due(clock=lambda: now)
    return CurrentRun.objects.get().run


def test_fifty_dollars_twice_a_month_for_twelve_months_is_1200(now, shop):
    shop.retention_months = 12
    shop.save()
    customer = CustomerFactory()
    first = date(2026, 3, 1) - timedelta(days=365)
    for n in range(24):  # 24 purchases of 50 in a year of observation
        buy(customer, first + timedelta(days=n * 15), "50")

    run_night(now)

    found = CustomerLtv.objects.get(customer=customer)
    assert found.average_purchase == Decimal("50")
    assert found.purchases_per_month == pytest.approx(2, rel=0.003)  # 366 days observed, counting both ends
    assert float(found.formula_ltv) == pytest.approx(1200, rel=0.003)


def test_the_average_of_alternating_340_and_490_is_415(now):
    customer = CustomerFactory()
    for n, amount in enumerate(["340", "490", "340", "490"]):
        buy(customer, date(2026, 1, 5) + timedelta(days=n), amount)

    run_night(now)

    assert CustomerLtv.objects.get(customer=customer).average_purchase == Decimal("415")


def test_the_partition_agrees_with_the_formulas_of_the_core(now, shop):
    a_base_of(20)

    run_night(now)

    for row in CustomerLtv.objects.select_related("customer").filter(orders__gt=0):
        expected = formula.formula_ltv(
            float(row.revenue), row.orders, row.age_days + 1, float(shop.retention_months)
        )
        assert float(row.formula_ltv) == pytest.approx(float(expected[0]), abs=0.002)
        margin_rate = row.margin / row.revenue
        assert float(row.margin_clv) == pytest.approx(float(row.formula_ltv * margin_rate), abs=0.002)


def test_a_channels_cac_is_its_spend_over_the_customers_of_those_months(now):
    channel = ChannelFactory()
    SpendFactory(channel=channel, month=date(2026, 1, 1), amount=Decimal("90"))
    january = CustomerFactory.create_batch(3, channel=channel)  # acquired in January
    CustomerFactory(channel=channel, acquired_at=datetime.fromisoformat("2025-11-01T00:00+00:00"))
    buy(january[0], date(2026, 1, 5), "90")

    run_night(now)

    assert CustomerLtv.objects.get(customer=january[0]).channel_cac == Decimal("30")
    row = next(c for c in reports.channels() if c.channel_id == channel.pk)
    assert row.cac == Decimal("30")
    assert row.ltv_to_cac == pytest.approx(CustomerLtv.objects.get(customer=january[0]).formula_ltv / 30)


def test_everyone_has_a_row_and_who_never_bought_has_no_prediction(now):
    buyers, silent = a_base_of(3), CustomerFactory()

    run = run_night(now)

    assert CustomerLtv.objects.count() == len(buyers) + 1
    row = CustomerLtv.objects.get(customer=silent)
    assert (row.orders, row.revenue, row.clv) == (0, Decimal(0), Decimal(0))
    assert (row.expected_value, row.p_alive, row.next_purchase_on) == (None, None, None)
    assert (run.customers, run.buyers) == (4, 3)


def test_a_small_shop_is_told_that_its_figures_rest_on_less_than_its_own_fit(now):
    a_base_of(30)

    run = run_night(now)

    assert run.step in (ModelStep.POOLED, ModelStep.FORMULA)
    assert "200 needed" in run.step_reason


def test_a_shop_with_data_gets_its_own_fit_and_predictions_with_their_interval(now):
    a_base_of(260)

    run = run_night(now)

    rows = CustomerLtv.objects.filter(orders__gt=0)
    assert run.step == ModelStep.OWN_FIT, run.step_reason
    assert set(run.parameters) >= {"bg"}
    for row in rows:
        assert 0 <= row.p_no_purchase <= 1
        assert 0 <= row.p_alive <= 1
        assert row.expected_value_low <= row.expected_value_high
        assert row.expected_value >= 0


def test_the_longer_a_one_time_buyer_is_silent_the_likelier_no_purchase(now):
    a_base_of(220)
    recent, silent = CustomerFactory(), CustomerFactory()
    buy(recent, date(2026, 2, 25))
    buy(silent, date(2025, 6, 1))

    run_night(now)

    risk = dict(CustomerLtv.objects.values_list("customer_id", "p_no_purchase"))
    assert risk[silent.pk] > risk[recent.pk]


def test_deciles_put_the_best_tenth_first_and_their_sums_are_the_total(now):
    a_base_of(50)

    run = run_night(now)

    seen = reports.overview()
    assert [d.decile for d in seen.deciles] == list(range(1, 11))
    assert sum(d.customers for d in seen.deciles) == run.buyers
    assert sum(d.clv for d in seen.deciles) == run.clv
    assert seen.deciles[0].clv >= seen.deciles[-1].clv


def test_totals_of_the_run_are_the_sums_over_its_customers(now):
    a_base_of(40)

    run = run_night(now)

    run.refresh_from_db()
    assert run.revenue == sum(row.revenue for row in CustomerLtv.objects.all())
    assert run.clv == sum(row.clv for row in CustomerLtv.objects.all())
    assert run.revenue == sum(row.base_amount for row in Purchase.objects.all())


def test_the_bell_may_ring_often_but_the_night_happens_once_per_business_date(now):
    a_base_of(5)

    first = night.run_due(clock=lambda: now)
    again = night.run_due(clock=lambda: now + timedelta(hours=2))

    assert (first, again) == (1, 0)
    assert LtvRun.objects.count() == 1
    assert JobRun.objects.get().state == JobState.DONE


def test_a_missed_night_is_caught_up_with_the_newest_date_only(now):
    a_base_of(5)
    run_night(now)

    night.run_due(clock=lambda: now + timedelta(days=3))

    assert list(JobRun.objects.order_by("business_date").values_list("business_date", flat=True)) == [
        date(2026, 3, 2),
        date(2026, 3, 5),
    ]


def test_staff_may_ask_again_and_see_each_stage_with_its_seconds(now, staff):
    a_base_of(5)
    run_night(now)

    asked = night.request_recalculation(by=staff, now=now)
    twice = night.request_recalculation(by=staff, now=now)
    night.run_due(clock=lambda: now)

    asked.refresh_from_db()
    assert asked == twice
    assert (asked.occurrence, asked.state, asked.requested_by) == (1, JobState.DONE, staff)
    assert [stage.name for stage in asked.stages.filter(state="done")] == [
        "summaries",
        "predictions",
        "figures",
        "checks",
        "publish",
        "tidy",
    ]


def test_asking_before_the_night_has_run_is_the_night(now, staff):
    a_base_of(3)

    night.request_recalculation(by=staff, now=now)
    night.run_due(clock=lambda: now)

    run = JobRun.objects.get()
    assert (run.occurrence, run.state, run.requested_by) == (0, JobState.DONE, staff)


def test_a_night_that_was_killed_is_taken_up_and_leaves_no_table_behind(now):
    a_base_of(5)
    job = jobs.ensure_nightly(job=night.JOB, business_date=date(2026, 3, 2), now=now)
    JobRun.objects.update(state=JobState.RUNNING, attempts=1)
    dead = night._open_run(night.Shop.current(), job, now)
    built = [publishing.table_name(dead.pk), publishing.table_name(dead.pk, 1)]
    with connection.cursor() as cursor:
        for name in built:
            cursor.execute(f"CREATE TABLE {name} (LIKE ltv_customerltv)")

    run = run_night(now)

    dead.refresh_from_db()
    assert dead.state == RunState.ABANDONED
    assert run.state == RunState.PUBLISHED
    assert not {*built} & {*connection.introspection.table_names()}


def test_figures_that_do_not_add_up_are_refused_and_yesterdays_stay(now, monkeypatch):
    a_base_of(5)
    good = run_night(now)
    read = histories.read
    lost = lambda *_range: {name: column[1:] for name, column in read().items()}  # noqa: E731 - one buyer
    monkeypatch.setattr(histories, "read", lost)

    night.run_due(clock=lambda: now + timedelta(days=1))

    failed = JobRun.objects.get(business_date=date(2026, 3, 3))
    assert failed.state == JobState.FAILED
    assert "4 predictions for 5 buyers" in failed.error
    assert CurrentRun.objects.get().run == good


def test_the_next_night_starts_from_the_last_parameters(now):
    a_base_of(260)
    first = run_night(now)

    second = run_night(now + timedelta(days=1))

    assert second.pk > first.pk
    assert second.parameters["bg"]["r"] == pytest.approx(first.parameters["bg"]["r"], rel=0.1)


def test_a_changed_margin_rate_reaches_customers_whose_purchases_did_not_change(now, shop):
    customer = CustomerFactory()
    buy(customer, date(2026, 1, 5), "100")
    run_night(now)

    shop.margin_rate = Decimal("0.5")
    shop.save()
    run_night(now + timedelta(days=1))

    assert PurchaseSummary.objects.get(customer=customer).margin == Decimal("50")


def test_segments_follow_in_the_same_moment(now):
    quiet = CustomerFactory()
    buy(quiet, date(2025, 3, 5))
    a_base_of(220)
    segment = Segment.objects.create(
        key="quiet", name="Quiet", rule={"all": [{"trait": "ltv.recency_days", "op": ">", "value": 300}]}
    )

    run_night(now)

    segment.refresh_from_db()
    assert segment.evaluated_at == now
    assert quiet.pk in segment.memberships.filter(left_at=None).values_list("customer_id", flat=True)


def test_a_calendar_held_in_the_past_values_the_shop_as_of_that_day(now, shop):
    shop.frozen_on = date(2025, 9, 1)
    shop.save()
    early, late = CustomerFactory(), CustomerFactory()
    buy(early, date(2025, 8, 1))
    buy(late, date(2025, 10, 1))

    run = run_night(now)

    assert run.as_of == date(2025, 9, 1)
    assert CustomerLtv.objects.get(customer=early).orders == 1
    assert CustomerLtv.objects.get(customer=late).orders == 0


def statements_of_a_night(now) -> int:
    with CaptureQueriesContext(connection) as seen:
        run_night(now)
    # how many tables autovacuum found empty in the middle of it is chance, see sql.know_sizes
    return sum(not str(query["sql"]).startswith("ANALYZE") for query in seen)


def test_the_number_of_statements_does_not_grow_with_customers(now):
    a_base_of(5)
    run_night(now)
    few = statements_of_a_night(now + timedelta(days=1))
    a_base_of(60, seed=8)
    run_night(now + timedelta(days=2))

    many = statements_of_a_night(now + timedelta(days=3))

    assert many == few
