"""The weekly check of the forecast: once a business week, on what was known then, with a card for staff to read."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from django.db import IntegrityError, transaction
from django.db.models import F

from crm.common import sql
from crm.common.choices import JobState
from crm.common.errors import InvalidInput
from crm.common.models import JobRun
from customers.models import Purchase
from ltv import reports
from ltv.choices import Light
from ltv.core import backtest, champion, scorecard, verdict
from ltv.models import ReportCard
from ltv.services import backtesting
from tests.factories import CustomerFactory, PurchaseFactory, ReportCardFactory, publish
from tests.ltv.core import shops
from tests.ltv.selling import MONDAY, day_of, sell

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _shop(shop):
    return shop


def ring(at: datetime) -> int:
    return backtesting.run_due(clock=lambda: at)


def codes(card: ReportCard) -> set[str]:
    return {finding["code"] for finding in card.findings}


# -- the check ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rows() -> shops.Rows:
    return shops.healthy(300, 7)


def test_the_card_says_what_the_library_says_of_the_same_log(rows, now):
    sell(rows)

    assert ring(now) == 1

    card, log = ReportCard.objects.get(), rows.log()
    end = shops.END
    found = backtest.backtest(log, backtest.origins(log, 90, end), 90, end)
    in_use = champion.in_use(found, "bgnbd")
    said = verdict.judge(found, in_use)
    assert (card.light, card.as_of, card.model, card.checks) == (said.light, MONDAY, "bgnbd", 6)
    assert [(one["code"], one["values"]) for one in card.findings] == [
        (one.code, one.values) for one in said.findings
    ]
    assert (card.customers, card.buyers) == (len(log.customers), len(log.customers))
    expected = scorecard.figures(found, in_use)
    assert [one["origin"] for one in card.scores["checks"]] == [
        day_of(check.origin).isoformat() for check in found.checks
    ]
    for kept, check in zip(card.scores["checks"], expected["checks"], strict=True):
        assert kept["purchases"]["actual"] == check["purchases"]["actual"]
        assert kept["spend"]["actual"] == pytest.approx(check["spend"]["actual"])
        assert kept["purchases"]["predicted"] == pytest.approx(check["purchases"]["predicted"], rel=1e-6)
    assert card.scores["spend"]["actual"] == pytest.approx(expected["spend"]["actual"])
    assert card.champion == champion.choose(found).name
    run = JobRun.objects.get(job=backtesting.JOB)
    assert (run.state, run.business_date) == (JobState.DONE, MONDAY)
    assert card.run == run


def test_a_purchase_dated_in_the_future_is_red_and_todays_is_none_of_it(now):
    owner = sell(shops.healthy(40, 7))[0]
    PurchaseFactory(customer=owner, purchased_at=now, purchased_on=MONDAY)
    PurchaseFactory(customer=owner, purchased_at=now, purchased_on=MONDAY + timedelta(days=9))

    ring(now)

    found = next(one for one in ReportCard.objects.get().findings if one["code"] == "dates_after_end")
    assert (found["light"], found["values"]) == ("red", {"count": 1})


def test_too_little_history_is_amber_and_says_so(now):
    customer = CustomerFactory()
    PurchaseFactory(customer=customer)
    publish()

    ring(now)

    card = ReportCard.objects.get()
    assert (card.light, codes(card), card.checks) == (Light.AMBER, {"no_checks"}, 0)


# -- when --------------------------------------------------------------------------------------------------------


def test_once_a_week_however_often_the_bell_rings_and_the_newest_missed_one_is_caught_up(now):
    publish()

    ended = [ring(now + timedelta(days=day)) for day in (0, 0, 1, 6, 7, 30)]

    assert ended == [1, 0, 0, 0, 1, 1]
    dates = list(JobRun.objects.order_by("business_date").values_list("business_date", flat=True))
    assert dates == [MONDAY, MONDAY + timedelta(days=7), MONDAY + timedelta(days=28)]
    assert [card.as_of for card in ReportCard.objects.order_by("pk")] == dates


def test_the_week_is_the_shops(now, shop):
    publish()

    ring(datetime(2026, 3, 8, 15, 30, tzinfo=UTC))  # Monday in Seoul, Sunday in UTC

    assert ReportCard.objects.get().as_of == date(2026, 3, 9)


def test_before_the_first_night_there_is_nothing_to_check(now):
    assert ring(now) == 0
    assert not JobRun.objects.exists()
    assert reports.predictions_may_drive_offers() == reports.Trust(card=None)
    assert reports.predictions_may_drive_offers().allowed


def test_what_staff_ask_for_is_as_of_that_day(now, staff):
    publish()
    ring(now)
    thursday = now + timedelta(days=3)

    asked = backtesting.request_check(by=staff, now=thursday)
    assert backtesting.request_check(by=staff, now=thursday) == asked
    assert ring(thursday) == 1

    assert [card.as_of for card in ReportCard.objects.order_by("pk")] == [MONDAY, MONDAY + timedelta(days=3)]


def test_a_check_that_was_killed_after_its_card_makes_no_second_one(now):
    publish()
    ring(now)
    JobRun.objects.update(state=JobState.RUNNING, finished_at=None)

    assert ring(now) == 1

    assert ReportCard.objects.count() == 1


# -- what is read ------------------------------------------------------------------------------------------------


def read(customers: int) -> np.ndarray:
    limits = {"customers": customers, "as_of": MONDAY, "today": MONDAY}
    return sql.copy_out("ltv/backtest_days", backtesting.DAYS, limits)


def test_a_sample_is_of_whole_customers_and_the_same_ones_again():
    sell(shops.healthy(60, 7))
    everything = read(1_000)

    few, more = read(10), read(20)

    assert [len(set(one["customer_id"].tolist())) for one in (few, more)] == [10, 20]
    assert set(few["customer_id"].tolist()) < set(more["customer_id"].tolist())
    assert few.tolist() == everything[np.isin(everything["customer_id"], few["customer_id"])].tolist()


def test_a_day_that_refunds_brought_to_nothing_is_none():
    sell(shops.healthy(30, 7))
    before, first = read(30), Purchase.objects.earliest("customer_id", "purchased_on", "pk")

    of_that_day = Purchase.objects.filter(customer=first.customer_id, purchased_on=first.purchased_on)
    of_that_day.update(refunded=F("amount"), base_refunded=F("base_amount"))

    assert len(read(30)) == len(before) - 1


# -- the owner's decision ----------------------------------------------------------------------------------------


def test_an_owner_may_let_predictions_act_in_spite_of_red_until_the_next_verdict(now, staff):
    card = ReportCardFactory(light=Light.RED)

    backtesting.allow(card=card, reason=" Christmas came early ", by=staff, at=now)

    card.refresh_from_db()
    assert (card.allowed_reason, card.allowed_by, card.allowed_at) == ("Christmas came early", staff, now)
    assert reports.predictions_may_drive_offers().allowed
    ReportCardFactory(light=Light.RED)
    assert not reports.predictions_may_drive_offers().allowed


@pytest.mark.parametrize("light", [Light.GREEN, Light.AMBER])
def test_what_forbids_nothing_cannot_be_allowed(light, now, staff):
    card = ReportCardFactory(light=light)

    with pytest.raises(backtesting.NothingToAllow):
        backtesting.allow(card=card, reason="why not", by=staff, at=now)

    assert not ReportCard.objects.exclude(allowed_at=None).exists()


def test_only_the_newest_card_can_be_allowed_and_only_with_a_reason(now, staff):
    old, new = ReportCardFactory(light=Light.RED), ReportCardFactory(light=Light.RED)

    with pytest.raises(backtesting.NothingToAllow):
        backtesting.allow(card=old, reason="a reason", by=staff, at=now)
    with pytest.raises(InvalidInput):
        backtesting.allow(card=new, reason="  ", by=staff, at=now)

    assert not ReportCard.objects.exclude(allowed_at=None).exists()


@pytest.mark.parametrize(
    ("constraint", "facts"),
    [
        ("report_card_light_known", {"light": "blue"}),
        (
            "report_card_allowed_has_reason",
            {"light": Light.RED, "allowed_at": datetime(2026, 3, 2, tzinfo=UTC)},
        ),
        ("report_card_part_of_the_buyers", {"customers": 501}),
    ],
)
def test_the_database_refuses(constraint, facts):
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        ReportCardFactory(**facts)
