"""The main job, end to end, on real purchases and real servers.

CDNOW log -> night -> segment -> win-back with a share held out -> mails, each once, each with its own coupon ->
coupon redeemed once -> unsubscribe -> the next campaign leaves them out -> survey answered. A real Celery worker
does the work; this test only does what staff, customers and shop programs do.
"""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import lifetimes.datasets
import pytest
from celery import current_app
from django.test import Client
from django.utils import timezone

from campaigns import reports as campaign_reports
from campaigns.choices import Arm, CampaignStatus, CouponStatus, MessageStatus
from campaigns.models import Campaign, Coupon, Enrolment, Message
from campaigns.services import campaigns, coupons
from crm.common.choices import JobState
from crm.common.models import Shop
from customers import reports as customer_reports
from customers.choices import ConsentStatus, ImportState, Purpose
from customers.models import Consent, Customer, ImportBatch, Purchase, Segment
from customers.services import consent, people, segments
from customers.services import imports as importing
from feedback.models import Response
from feedback.services import surveys
from ltv.models import CurrentRun, CustomerLtv
from ltv.services import night
from tests import workers
from tests.campaigns.sink import Sink
from tests.factories import OfferFactory
from tests.workers import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
SAMPLE = Path(lifetimes.datasets.__file__).parent / "CDNOW_sample.txt"
LAST_DAY = date(1998, 7, 1)  # the log ends on 1998-06-30
BODY = "Dear {{ name }},\n\nwe kept something for you: {{ coupon_code }}, until {{ coupon_expires }}."


@pytest.fixture
def sink(settings, shop: Shop):
    Shop.objects.update(frozen_on=LAST_DAY, time_zone="UTC")
    segments.create_builtin()
    server = Sink().start()
    settings.SMTP_URL = server.url
    settings.SITE_URL = "http://testserver"
    yield server
    server.stop()


def test_a_shops_lapsed_customers_are_won_back(sink: Sink, staff):
    with workers.running():
        import_the_log(staff)
        value_everyone(staff)
        lapsed = the_lapsed_repeat_buyers()
        addresses = addresses_and_consents(lapsed)
        campaign = win_back(lapsed, staff)
        everyone_has_exactly_one_state(campaign, lapsed)
        each_mail_arrived_once_with_its_own_coupon(campaign, sink, addresses)
        a_coupon_works_once(campaign)
        gone = unsubscribes(campaign, sink)
        the_next_campaign_leaves_out(gone, lapsed, sink, staff)
        a_survey_comes_back(campaign, sink)


def import_the_log(staff) -> None:
    batch = importing.upload(
        file_name=SAMPLE.name, data=SAMPLE, source="cdnow", preset="cdnow", by=staff, at=timezone.now()
    )
    wait_until(lambda: state_of(batch) == ImportState.CHECKED, "the file is checked")
    batch.refresh_from_db()
    assert (batch.rows, batch.to_create, batch.errors) == (6919, 6919, 0)
    assert Purchase.objects.count() == 0

    importing.confirm(batch=batch)

    wait_until(lambda: state_of(batch) == ImportState.APPLIED, "the file is applied")
    assert (Customer.objects.count(), Purchase.objects.count()) == (2357, 6919)


def state_of(batch: ImportBatch) -> str:
    return ImportBatch.objects.values_list("state", flat=True).get(pk=batch.pk)


def value_everyone(staff) -> None:
    job = night.request_recalculation(by=staff, now=timezone.now())

    wait_until(lambda: type(job).objects.get(pk=job.pk).state != JobState.REQUESTED, "the night begins")
    wait_until(lambda: type(job).objects.get(pk=job.pk).finished_at is not None, "the night ends")

    job.refresh_from_db()
    run = CurrentRun.objects.select_related("run").get().run
    assert job.state == JobState.DONE, job.error
    assert (run.customers, run.buyers, run.step, run.as_of) == (2357, 2357, "own_fit", LAST_DAY)
    assert CustomerLtv.objects.count() == 2357


def the_lapsed_repeat_buyers() -> Segment:
    """Bought again at least once, then not for half a year: about one in ten of the sample."""
    rule = {
        "all": [
            {"trait": "ltv.frequency", "op": ">=", "value": 2},
            {"trait": "ltv.recency_days", "op": "between", "value": 180, "value2": 400},
        ]
    }
    segment = segments.create_segment(key="lapsed", name="Lapsed repeat buyers", rule=rule, at=timezone.now())
    expected = CustomerLtv.objects.filter(frequency__gte=2, recency_days__range=(180, 400)).count()
    assert segment.member_count == expected > 100
    return segment


def addresses_and_consents(segment: Segment) -> dict[int, str]:
    """The shop knows most addresses; nine of ten agreed to offers."""
    now, known = timezone.now(), {}
    for n, customer in enumerate(Customer.objects.in_segment(segment.pk).order_by("pk")):
        if n % 20 == 0:
            continue
        address = f"buyer{customer.pk}@mail.example"
        people.update_customer(customer=customer, changes={"email": address}, at=now)
        if n % 10 != 1:
            known[customer.pk] = address
            facts = {"source": "checkout form", "wording": "Send me offers.", "stated_at": now, "at": now}
            consent.grant(customer=customer, purpose=Purpose.MARKETING, **facts)
    return known


def win_back(segment: Segment, staff) -> Campaign:
    now = timezone.now()
    survey = surveys.create_survey(
        name="How was it?",
        kind="nps",
        questions=[{"kind": "nps", "texts": {"en": "Would you recommend us?"}}],
    )
    surveys.open_survey(survey=survey)
    campaign = campaigns.create_campaign(
        name="Come back",
        kind="win_back",
        segment=segment,
        variants={"en": ("We miss you, {{ name }}", BODY)},
        control_share=Decimal("0.2"),
        offer=OfferFactory(),
        survey=survey,
        by=staff,
        at=now,
    )
    campaigns.launch(campaign=campaign, by=staff, at=now)
    wait_until(
        lambda: not Message.objects.filter(campaign=campaign).unfinished().exists(), "every mail is out"
    )
    return campaign


def everyone_has_exactly_one_state(campaign: Campaign, segment: Segment) -> None:
    campaign.refresh_from_db()
    states = campaign_reports.states(campaign)
    seen = {status for status, messages in states.by_status.items() if messages}
    assert states.total == campaign.audience_size == segment.member_count
    assert seen == {MessageStatus.SENT, MessageStatus.HELD_OUT, MessageStatus.SUPPRESSED}
    held_out = Enrolment.objects.filter(campaign=campaign, arm=Arm.CONTROL).count()
    assert 0.1 < held_out / campaign.audience_size < 0.3


def each_mail_arrived_once_with_its_own_coupon(campaign: Campaign, sink: Sink, known: dict[int, str]) -> None:
    treated = Enrolment.objects.filter(campaign=campaign, arm=Arm.TREATED, customer__in=known)
    expected = {known[pk] for pk in treated.values_list("customer_id", flat=True)}
    assert sorted(sink.addresses()) == sorted(expected)
    codes = dict(
        Coupon.objects.filter(enrolment__in=treated, status=CouponStatus.ISSUED).values_list(
            "customer__email_normalised", "code"
        )
    )
    assert len(set(codes.values())) == len(expected)
    for accepted in sink.accepted:
        (address,) = accepted.recipients
        text = accepted.mail.get_body(("plain",)).get_content()
        assert codes[address] in text.replace("-", "") or codes[address] in text
    message_ids = {mail.message_id for mail in sink.accepted}
    assert message_ids == set(
        Message.objects.filter(campaign=campaign, status=MessageStatus.SENT).values_list(
            "message_id", flat=True
        )
    )


def a_coupon_works_once(campaign: Campaign) -> None:
    coupon = Coupon.objects.filter(enrolment__campaign=campaign, status=CouponStatus.ISSUED).earliest("pk")

    coupons.redeem(code=coupon.code, order_ref="A-1", at=timezone.now())

    with pytest.raises(coupons.AlreadyRedeemed):
        coupons.redeem(code=coupon.code, order_ref="A-2", at=timezone.now())
    coupon.refresh_from_db()
    assert (coupon.status, coupon.order_ref) == (CouponStatus.REDEEMED, "A-1")


def unsubscribes(campaign: Campaign, sink: Sink) -> Customer:
    mail = sink.accepted[0].mail
    link = re.search(r"<(http[^>]+)>", mail["List-Unsubscribe"]).group(1)
    customer = Customer.objects.get(email=sink.accepted[0].recipients[0])
    browser = Client(enforce_csrf_checks=True)

    assert browser.get(link).status_code == 200  # a mail scanner looks at the page
    assert current_consent(customer) == ConsentStatus.GRANTED
    assert browser.post(link, {"List-Unsubscribe": "One-Click"}).status_code == 200

    assert current_consent(customer) == ConsentStatus.WITHDRAWN
    return customer


def current_consent(customer: Customer) -> str:
    return Consent.objects.get(customer=customer, purpose=Purpose.MARKETING, superseded_at=None).status


def the_next_campaign_leaves_out(gone: Customer, segment: Segment, sink: Sink, staff) -> None:
    before, now = len(sink.accepted), timezone.now()
    campaign = campaigns.create_campaign(
        name="News",
        kind="news",
        segment=segment,
        variants={"en": ("News", "Dear {{ name }}, here is what is new.")},
        control_share=Decimal(0),
        by=staff,
        at=now,
    )
    campaigns.launch(campaign=campaign, by=staff, at=now)
    wait_until(
        lambda: not Message.objects.filter(campaign=campaign).unfinished().exists(), "the news are out"
    )
    current_app.send_task("campaigns.sweep")  # as beat does every minute
    wait_until(lambda: status_of(campaign) == CampaignStatus.FINISHED, "the campaign is finished")

    message = Message.objects.get(campaign=campaign, customer=gone)
    assert message.status == MessageStatus.SUPPRESSED
    news = [mail.recipients[0] for mail in sink.accepted[before:]]
    assert gone.email not in news
    assert len(news) == len(set(news)) == campaign_reports.states(campaign).by_status[MessageStatus.SENT] > 50


def status_of(campaign: Campaign) -> str:
    return Campaign.objects.values_list("status", flat=True).get(pk=campaign.pk)


def a_survey_comes_back(campaign: Campaign, sink: Sink) -> None:
    accepted = sink.accepted[1]
    customer = Customer.objects.get(email=accepted.recipients[0])
    html = accepted.mail.get_body(("html",)).get_content()
    link = re.search(r'href="(http://testserver/s/[^"]+score=9)"', html).group(1).replace("&amp;", "&")
    browser = Client(enforce_csrf_checks=True)

    page = browser.get(link)
    assert page.status_code == 200
    assert not Response.objects.exists()
    survey = campaign.survey
    question = survey.questions.get()
    answer = browser.post(link, {f"q{question.pk}": "9", "comment": "Quick, and well packed."})

    assert answer.status_code == 303
    response = Response.objects.get()
    assert (response.customer, response.score) == (customer, 9)
    assert any(item.kind == "survey" for item in customer_reports.story(customer.pk))
    promoters = Segment.objects.get(key="promoters")
    segments.refresh(at=datetime.now(tz=UTC), today=LAST_DAY)
    assert promoters.memberships.filter(customer=customer, left_at=None).exists()
