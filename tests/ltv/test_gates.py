"""Before a run is published: sums that add up, and nothing that no shop does in one night."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db.models import F

from crm.common.choices import JobState
from crm.common.models import JobRun
from customers.models import Purchase, SegmentMembership
from ltv.models import CurrentRun, DailyRevenue, PurchaseSummary
from ltv.services import gates, night
from tests.ltv.test_night import a_base_of, buy

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _shop(shop):
    return shop


def run_night(now: datetime, day: int) -> JobRun:
    night.run_due(clock=lambda: now + timedelta(days=day))
    return JobRun.objects.filter(job=night.JOB).order_by("-business_date", "-occurrence")[0]


def nights(now: datetime, count: int) -> None:
    for day in range(count):
        assert run_night(now, day).state == JobState.DONE


def test_a_summary_that_lost_a_cent_is_found(now):
    a_base_of(5)
    nights(now, 1)
    good = CurrentRun.objects.get().run
    one = PurchaseSummary.objects.earliest("pk")
    PurchaseSummary.objects.filter(pk=one.pk).update(revenue=one.revenue - Decimal("0.01"))

    job = run_night(now, 1)

    assert job.state == JobState.FAILED
    assert "in the ledger" in job.error
    assert CurrentRun.objects.get().run == good


def test_a_day_of_the_ledger_that_gained_a_cent_is_found(now):
    a_base_of(5)
    nights(now, 1)
    day = DailyRevenue.objects.latest("revenue")
    DailyRevenue.objects.filter(pk=day.pk).update(revenue=F("revenue") + Decimal("0.01"))

    assert run_night(now, 1).state == JobState.FAILED


@pytest.fixture
def _small(monkeypatch):
    """Twenty buyers are enough to judge here."""
    monkeypatch.setattr(gates, "ENOUGH_BUYERS", 20)


@pytest.mark.usefixtures("_small")
def test_an_import_with_all_dates_moved_changes_nothing_until_somebody_looked(now, staff):
    a_base_of(25)
    nights(now, gates.ENOUGH_NIGHTS)
    good, stays = CurrentRun.objects.get().run, SegmentMembership.objects.count()
    # a planted fault: every purchase of all time moved into the last weeks
    Purchase.objects.update(purchased_on=date(2026, 3, 1), purchased_at=now - timedelta(days=1))
    for purchase in Purchase.objects.filter(pk__in=Purchase.objects.values("pk")[:40]):
        buy(purchase.customer, date(2026, 3, 3), "5000")

    job = run_night(now, gates.ENOUGH_NIGHTS)

    assert job.state == JobState.FAILED
    assert "per buyer is" in job.error
    assert CurrentRun.objects.get().run == good
    assert SegmentMembership.objects.count() == stays

    night.retry(job=job, by=staff, now=now)
    run = run_night(now, gates.ENOUGH_NIGHTS)

    assert run.state == JobState.DONE
    assert CurrentRun.objects.get().run != good


@pytest.mark.usefixtures("_small")
def test_revenue_that_disappears_is_found(now):
    people = a_base_of(25)
    nights(now, gates.ENOUGH_NIGHTS)
    for person in people[:8]:
        person.purchases.all().delete()

    job = run_night(now, gates.ENOUGH_NIGHTS)

    assert job.state == JobState.FAILED
    assert "revenue fell from" in job.error


@pytest.mark.usefixtures("_small")
def test_an_ordinary_week_passes(now):
    people = a_base_of(25)
    for day in range(gates.ENOUGH_NIGHTS + 3):
        buy(people[day], date(2026, 3, 1) + timedelta(days=day), "60")
        assert run_night(now, day).state == JobState.DONE
