"""The report card for staff: what it says, in their language, and where else its verdict is seen."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone, translation

from campaigns.choices import CampaignStatus, Trigger
from crm.common.models import JobRun, User
from crm.pages import report_card
from ltv.choices import Light
from ltv.core import verdict
from ltv.models import ReportCard
from ltv.services import backtesting
from tests.factories import CampaignFactory, ReportCardFactory, SegmentFactory, publish

BROKE = {"code": "purchases_broke_down", "light": "red", "values": {"days": 30, "percent": 51}}
BY_RISK = {"all": [{"trait": "ltv.p_no_purchase", "op": ">=", "value": 0.5}]}
STANDS = "This segment stands on a forecast"


@pytest.fixture
def see(browser_of_staff, shop):
    def seen(name: str, *args: object) -> str:
        return browser_of_staff.get(reverse(name, args=args)).content.decode()

    return seen


@pytest.fixture
def automatic(db):
    """A running campaign that takes people in by a forecast."""
    segment = SegmentFactory(rule=BY_RISK)
    return CampaignFactory(segment=segment, trigger=Trigger.ON_ENTRY, status=CampaignStatus.RUNNING)


def test_the_card_says_its_findings_with_their_values(see):
    ReportCardFactory(light=Light.RED, findings=[BROKE])

    said = see("crm:report_card")

    assert "In the last 30 days customers bought 51% less often than expected" in said
    assert "They do not drive offers" in said
    assert "Do not rely on it" in said
    assert "200,000" not in said and "all 500 buyers" in said


def test_differences_have_their_sign(see):
    ReportCardFactory(light=Light.RED)

    said = see("crm:report_card")

    assert 'data-label="off by">+4%<' in said
    assert 'data-label="Spend off by">+40%<' in said


def test_a_sample_is_said_to_be_one(see):
    ReportCardFactory(customers=200_000, buyers=1_000_000)

    assert "200,000 of 1,000,000 buyers" in see("crm:report_card")


def test_every_finding_can_be_said_in_every_language():
    values = {"rule": "recency", "count": 1}
    numbers = ("checks", "needed", "customers", "percent", "nominal", "low", "high", "days", "expected")
    values |= dict.fromkeys(numbers, 7)

    for language in ("en", "ko", "ja"):
        with translation.override(language):
            said = {
                code: report_card.sentence({"code": code, "values": values}) for code in verdict.SENTENCES
            }
        assert all(text and "{" not in text for text in said.values())
        assert (said["no_checks"] == verdict.SENTENCES["no_checks"]) == (language == "en")


def test_a_finding_of_another_version_is_shown_as_it_is():
    assert report_card.sentence({"code": "unheard_of", "values": {}}) == "unheard_of"


def test_red_is_said_wherever_it_matters(see, automatic):
    ReportCardFactory(light=Light.RED, findings=[BROKE])

    for words in (see("crm:segment", automatic.segment_id), see("crm:campaign", automatic.pk)):
        assert f"{STANDS} that did not hold." in words
        assert "In the last 30 days customers bought 51% less" in words
    today = see("admin:index")
    assert "Predictions do not drive offers now" in today
    assert reverse("crm:campaign", args=[automatic.pk]) in today


@pytest.mark.parametrize(
    ("light", "words"),
    [
        (Light.AMBER, f"{STANDS} to use with care."),
        (None, "The forecast this segment stands on has not been checked yet."),
    ],
)
def test_doubt_is_said_where_it_does_not_forbid(light, words, see, automatic):
    if light:
        ReportCardFactory(light=light)

    assert words in see("crm:segment", automatic.segment_id)
    assert words in see("crm:campaign", automatic.pk)
    assert "Predictions do not drive offers now" not in see("admin:index")


def test_nothing_is_said_of_facts_nor_where_the_forecast_holds(see, automatic):
    facts = SegmentFactory(rule={"all": [{"trait": "ltv.orders", "op": ">=", "value": 1}]})
    ReportCardFactory(light=Light.RED)
    assert STANDS not in see("crm:segment", facts.pk)

    ReportCardFactory(light=Light.GREEN)

    assert STANDS not in see("crm:segment", automatic.segment_id)


def test_the_button_asks_for_a_check_once(press, staff):
    for _ in range(2):
        assert "A check was asked for." in press("check_forecast").content.decode()

    asked = JobRun.objects.get(job=backtesting.JOB)
    assert asked.requested_by == staff


def test_an_owner_allows_it_with_a_reason(press):
    card = ReportCardFactory(light=Light.RED)

    refused = press("allow_forecast", card.pk, reason=" ").content.decode()
    assert "A reason of 1 to 300 characters is needed." in refused
    allowed = press("allow_forecast", card.pk, reason="A holiday.").content.decode()

    assert "They may drive offers" in allowed
    assert "A holiday." in allowed
    assert (ReportCard.objects.get().allowed_reason, ReportCard.objects.get().allowed_by) == (
        "A holiday.",
        User.objects.get(username="staff"),
    )


def test_without_a_card_the_page_says_when_the_first_one_comes(see, shop):
    until, now = "Until then predictions are used unchecked.", timezone.now()
    this_week = backtesting.week_of(shop.business_date(now))

    assert f"The first check comes within an hour of the first night. {until}" in see("crm:report_card")

    publish()
    assert f"The first check comes within the hour, or at once when somebody asks for it. {until}" in see(
        "crm:report_card"
    )

    failed = {"requested_at": now, "finished_at": now, "state": "failed"}
    run = JobRun.objects.create(job=backtesting.JOB, business_date=this_week - timedelta(days=7), **failed)
    assert "within the hour" in see("crm:report_card")
    JobRun.objects.filter(pk=run.pk).update(business_date=this_week)
    assert "The next check comes by itself next week" in see("crm:report_card")


def test_while_the_first_card_is_made_the_page_says_so(see, press):
    publish()

    said = press("check_forecast").content.decode()

    assert "The first card is being made" in said
    assert "It appears here when the check is done." in said
    assert "No card yet" not in said


def test_a_check_that_failed_is_said(see, now):
    JobRun.objects.create(
        job=backtesting.JOB, business_date=now.date(), requested_at=now, finished_at=now,
        state="failed", error="Traceback\nMemoryError: too much",
    )  # fmt: skip

    said = see("crm:report_card")

    assert "The last check failed" in said
    assert "MemoryError: too much" in said
    assert "No card yet" in said
