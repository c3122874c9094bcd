"""What we sent customers and what came of it, offered to segment rules."""

from datetime import UTC, date, datetime

import pytest

from customers.models import Segment
from customers.services import segments
from tests.factories import CampaignFactory, CouponFactory, CustomerFactory, MessageFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]
TODAY = date(2026, 3, 2)


def value(customer_id: int, trait: str) -> str:
    return segments.why(customer_id, Segment(rule={"trait": trait, "op": "is_known"}), TODAY)[0].value


def sent(customer, day: datetime, **campaign):
    return MessageFactory(
        customer=customer, campaign=CampaignFactory(status="running", **campaign), status="sent", sent_at=day
    )


def test_only_marketing_mails_that_were_sent_count():
    customer = CustomerFactory()
    sent(customer, datetime(2026, 1, 31, 14, 0, tzinfo=UTC))  # 30 days and one before, in Seoul
    sent(customer, datetime(2026, 1, 31, 15, 0, tzinfo=UTC))  # the first of February in Seoul
    sent(customer, datetime(2026, 2, 10, 3, 0, tzinfo=UTC))
    sent(customer, datetime(2026, 2, 25, 3, 0, tzinfo=UTC), purpose="survey")
    MessageFactory(customer=customer, campaign=CampaignFactory(status="running"), status="pending")

    assert value(customer.pk, "campaigns.days_since_mail") == "20 days"
    assert value(customer.pk, "campaigns.mails_30_days") == "2"


def test_coupons_count_when_they_were_redeemed():
    customer = CustomerFactory()
    for status in ("redeemed", "redeemed", "issued"):
        CouponFactory(customer=customer, campaign=CampaignFactory(status="running"), status=status)

    assert value(customer.pk, "campaigns.coupons_redeemed") == "2"


def test_who_was_never_mailed_has_no_last_mail_and_no_coupons():
    customer = CustomerFactory()

    assert value(customer.pk, "campaigns.days_since_mail") == "not known"
    assert value(customer.pk, "campaigns.mails_30_days") == "0"
    assert value(customer.pk, "campaigns.coupons_redeemed") == "0"
