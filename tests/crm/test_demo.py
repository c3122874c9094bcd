"""The simulated shop, loaded once: believable in its parts, and in agreement with itself as a whole."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models import Count, F, Q, Sum

from campaigns import reports as campaign_reports
from campaigns.choices import CampaignStatus, CouponStatus, MessageStatus
from campaigns.models import Campaign, Coupon, Engagement, Message, Offer
from crm.common.choices import JobState
from crm.common.models import JobRun, Shop, User
from crm.management.simulation import story
from customers.core.addresses import normalise_email
from customers.models import (
    Consent,
    Customer,
    FollowUp,
    Interaction,
    MarketingSpend,
    Product,
    Purchase,
    PurchaseLine,
    Refund,
    Segment,
    SegmentMembership,
)
from feedback import reports as feedback_reports
from feedback.models import Action, Answer, Invitation, Response, Theme
from ltv.models import CurrentRun, CustomerLtv, LtvRun

SIZE = 1000  # a third of the shop people look at: enough for its own fit, a third of the seconds


@pytest.fixture(scope="module")
def said(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> Iterator[str]:
    """The demo loaded once for this file, inside a transaction that is rolled back; what the command said."""
    with django_db_blocker.unblock():
        with transaction.atomic():
            # a test with real transactions may have flushed it away
            Shop.objects.get_or_create(only_row=True)
            out = StringIO()
            call_command("demo", customers=SIZE, stdout=out)
            yield out.getvalue()
            transaction.set_rollback(True)
        connection.close()


@pytest.fixture
def demo(said: str, db: None) -> str:
    """Each test's own changes are undone after it, the shop stays until the last one."""
    return said


def counts() -> dict[str, int]:
    tables = (
        Customer, Purchase, PurchaseLine, Refund, Consent, Interaction, FollowUp, Segment, SegmentMembership,
        Invitation, Response, Answer, Theme, Action, Campaign, Message, Coupon, Engagement, LtvRun, User,
        JobRun, Product, MarketingSpend,
    )  # fmt: skip
    return {table.__name__: table._default_manager.count() for table in tables}


@pytest.mark.django_db
@pytest.mark.usefixtures("demo")
class TestTheShop:
    def test_it_says_that_it_is_simulated(self, demo):
        shop = Shop.current()

        assert (shop.is_demo, shop.base_currency, shop.time_zone) == (True, "USD", "Asia/Seoul")
        assert "simulated" in shop.name
        assert "simulated" in shop.postal_address
        assert "1,000 simulated customers" in demo

    def test_its_customers_speak_three_languages_and_live_at_addresses_nobody_has(self):
        found = Customer.objects.all()

        assert found.count() == SIZE
        assert set(found.values_list("language", flat=True)) == {"ko", "ja", "en"}
        addresses = dict(found.exclude(email="").values_list("email", "email_normalised"))
        assert len(addresses) > 0.93 * SIZE
        reserved = (".example.com", ".example.net", ".example.org")
        assert [a for a in addresses if not f".{a.partition('@')[2]}".endswith(reserved)] == []
        assert [a for a, normal in addresses.items() if normal != normalise_email(a)] == []
        assert [s.username for s in User.objects.filter(is_staff=True) if s.has_usable_password()] == []

    def test_referrals_come_from_customers_who_were_there_before(self):
        referred = Customer.objects.filter(referred_by__isnull=False)

        assert referred.count() > 0.066 * SIZE
        assert not referred.filter(referred_by__acquired_at__gt=F("acquired_at")).exists()

    def test_purchases_end_yesterday_and_fill_two_years(self):
        today = Shop.current().business_date(JobRun.objects.get(job="ltv.recalculate").requested_at)
        days = set(Purchase.objects.values_list("purchased_on", flat=True))

        assert max(days) == today - timedelta(days=1)
        assert min(days) <= today - timedelta(days=720)
        assert len(days) > 600
        assert 2 < Purchase.objects.count() / SIZE < 5.4

    def test_a_purchases_business_day_is_its_instant_in_the_shops_zone(self):
        zone = ZoneInfo("Asia/Seoul")

        wrong = [
            at
            for at, day in Purchase.objects.values_list("purchased_at", "purchased_on")
            if at.astimezone(zone).date() != day
        ]

        assert wrong == []

    def test_lines_sum_to_their_purchase(self):
        sums = Purchase.objects.annotate(total=Sum("lines__amount"), n=Count("lines"))

        assert not sums.exclude(total=F("amount")).exists()
        assert not sums.exclude(n__gte=1, n__lte=4).exists()

    def test_three_currencies_have_rates_and_a_handful_of_purchases_has_none(self):
        with_rate = Purchase.objects.filter(base_amount__isnull=False)

        assert set(with_rate.values_list("currency", flat=True)) == {"KRW", "JPY", "USD"}
        waiting = Purchase.objects.without_rate()
        assert set(waiting.values_list("currency", flat=True)) == {"EUR"}
        assert 1 <= waiting.count() <= 200
        assert [
            found
            for found in with_rate.values_list("amount", "rate", "base_amount")
            if found[2] != (found[0] * found[1]).quantize(Decimal("0.001"))
            and abs(found[2] - found[0] * found[1]) > Decimal("0.0005")
        ] == []
        whole = Purchase.objects.filter(currency__in=["KRW", "JPY"])
        assert [a for a in whole.values_list("amount", flat=True) if a != int(a)] == []

    def test_three_of_a_hundred_are_refunded_within_their_amount_and_not_in_the_future(self):
        share = Refund.objects.count() / Purchase.objects.count()

        assert 0.015 < share < 0.045
        assert not Refund.objects.filter(refunded_at__lt=F("purchase__purchased_at")).exists()
        last = Purchase.objects.order_by("-purchased_on").values_list("purchased_on", flat=True)[0]
        assert (
            max(
                at.astimezone(ZoneInfo("Asia/Seoul")).date()
                for at in Refund.objects.values_list("refunded_at", flat=True)
            )
            <= last
        )

    def test_most_agreed_to_marketing_and_everybody_who_did_knows_to_what(self):
        granted = Customer.objects.consenting("marketing").count()

        assert 0.6 < granted / SIZE < 0.78
        assert Consent.objects.filter(status="withdrawn", superseded_at=None).count() > 50
        assert not Consent.objects.filter(status="granted").filter(Q(wording="") | Q(source="")).exists()

    def test_channels_differ_in_what_a_customer_costs(self):
        spent = MarketingSpend.objects.values("channel__code").annotate(
            spend=Sum("base_amount"), months=Count("pk")
        )
        cost = {
            row["channel__code"]: row["spend"]
            / Customer.objects.filter(channel__code=row["channel__code"]).count()
            for row in spent
        }

        assert not MarketingSpend.objects.filter(base_amount=None).exists()
        assert cost["social-ads"] > cost["search-ads"] > cost["organic-search"] > 0

    def test_there_is_something_to_do_this_morning(self):
        today = Shop.current().business_date(JobRun.objects.get(job="ltv.recalculate").requested_at)
        open_steps = FollowUp.objects.open()

        assert open_steps.filter(due_on=today).exists()
        assert open_steps.filter(due_on__lt=today).exists()
        assert open_steps.filter(due_on__gt=today).exists()
        assert Interaction.objects.count() > SIZE / 6
        assert not Interaction.objects.filter(occurred_at__lt=F("customer__acquired_at")).exists()


@pytest.mark.django_db
@pytest.mark.usefixtures("demo")
class TestTheStory:
    def test_customers_answered_in_three_languages_and_something_was_done_about_it(self):
        nps = feedback_reports.nps()

        assert nps.responses == Response.objects.count() > SIZE / 20
        assert nps.promoters + nps.passives + nps.detractors == nps.answers
        assert -100 < nps.low < nps.score < nps.high < 100
        assert set(Response.objects.values_list("language", flat=True)) == {"ko", "ja", "en"}
        assert sorted(Action.objects.values_list("status", flat=True)) == [
            "done",
            "planned",
            "planned",
            "told",
        ]
        assert all(row.said for row in feedback_reports.themes())
        assert not Response.objects.filter(submitted_at__lt=F("invitation__invited_at")).exists()

    def test_the_win_backs_states_add_up_to_its_audience(self):
        campaign = Campaign.objects.get(name=story.WIN_BACK_NAME)
        states = campaign_reports.states(campaign).by_status

        assert campaign.status == CampaignStatus.FINISHED
        assert sum(states.values()) == campaign.audience_size == campaign.enrolments.count()
        for status in (
            MessageStatus.SENT,
            MessageStatus.HELD_OUT,
            MessageStatus.SUPPRESSED,
            MessageStatus.FAILED,
        ):
            assert states[status] > 0
        assert not Message.objects.unfinished().exists()
        assert states[MessageStatus.UNKNOWN] == 1

    def test_coupons_follow_their_messages_and_some_were_used_for_a_purchase(self):
        campaign = Campaign.objects.get(name=story.WIN_BACK_NAME)
        coupons = Coupon.objects.filter(enrolment__campaign=campaign)
        used = coupons.filter(status=CouponStatus.REDEEMED)

        assert coupons.count() == Message.objects.filter(status__in=["sent", "failed", "unknown"]).count()
        assert used.count() > 20
        for coupon in used:
            purchase = Purchase.objects.get(external_id=coupon.order_ref)
            assert (purchase.customer_id, purchase.purchased_at) == (coupon.customer_id, coupon.redeemed_at)
        assert Engagement.objects.filter(kind="redeemed").count() == used.count()
        assert Engagement.objects.filter(kind="answered").exists()

    def test_a_draft_waits_to_be_launched(self):
        draft = Campaign.objects.get(status=CampaignStatus.DRAFT)

        assert set(draft.variants.values_list("language", flat=True)) == {"en", "ko", "ja"}
        assert draft.segment.member_count > 0

    def test_its_mails_name_the_offer_in_words_of_every_language(self):
        names = set(Offer.objects.values_list("name", flat=True))

        assert names == {"15% OFF", "$10 OFF"}

    def test_one_night_has_valued_everybody_on_a_model_of_its_own(self):
        run = CurrentRun.objects.get().run

        assert JobRun.objects.get(job="ltv.recalculate").state == JobState.DONE
        assert CustomerLtv.objects.count() == run.customers == SIZE
        assert run.step == "own_fit"
        assert CustomerLtv.objects.filter(expected_value__gt=0).count() > 2 / 3 * SIZE
        assert Segment.objects.filter(member_count__gt=0).count() >= 8

    def test_a_second_run_refuses_and_changes_nothing(self):
        before = counts()

        for options in ({}, {"empty": True}, {"cdnow": True}):
            with pytest.raises(CommandError, match="1,000 customers already"):
                call_command("demo", **options)

        assert counts() == before

    def test_a_load_killed_before_its_night_is_only_valued(self):
        before, out = Customer.objects.count(), StringIO()

        with transaction.atomic():
            CurrentRun.objects.all().delete()
            call_command("demo", customers=SIZE, stdout=out)
            found = Customer.objects.count(), CurrentRun.objects.get().run.customers
            transaction.set_rollback(True)

        assert found == (before, SIZE)
        assert "written" not in out.getvalue()

    def test_every_constraint_of_the_database_holds(self):
        connection.check_constraints()
