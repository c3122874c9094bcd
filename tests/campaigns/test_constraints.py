"""What PostgreSQL itself refuses of campaigns, whoever writes."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from campaigns import models
from tests.factories import (
    CampaignFactory,
    CouponFactory,
    EngagementFactory,
    EnrolmentFactory,
    MessageFactory,
    OfferFactory,
    SuppressionFactory,
    VariantFactory,
)

pytestmark = pytest.mark.django_db

OTHER = {"address": "x@y.example", "address_hash": "0" * 64, "message_id": "<x@y>"}

REFUSED = [
    ("offer_kind_known", OfferFactory, {"kind": "gift"}),
    ("offer_value_fits_kind", OfferFactory, {"value": Decimal(101)}),
    ("offer_value_fits_kind", OfferFactory, {"kind": "amount", "value": Decimal(5), "currency": ""}),
    ("offer_minimum_not_negative", OfferFactory, {"minimum_basket": Decimal(-1)}),
    ("offer_valid_some_days", OfferFactory, {"valid_days": 0}),
    ("campaign_kind_known", CampaignFactory, {"kind": "spam"}),
    ("campaign_trigger_known", CampaignFactory, {"trigger": "always"}),
    ("campaign_status_known", CampaignFactory, {"status": "lost", "launched_at": models.Campaign}),
    ("campaign_purpose_known", CampaignFactory, {"purpose": "any"}),
    ("campaign_control_share_range", CampaignFactory, {"control_share": Decimal("0.6")}),
    ("campaign_launched_has_time", CampaignFactory, {"status": "running", "launched_at": None}),
    ("campaign_end_has_time", CampaignFactory, {"status": "finished", "finished_at": None}),
    ("variant_language_known", VariantFactory, {"language": "xx"}),
    ("variant_has_words", VariantFactory, {"subject": ""}),
    ("enrolment_arm_known", EnrolmentFactory, {"arm": "both"}),
    ("coupon_status_known", CouponFactory, {"status": "lost"}),
    ("coupon_redeemed_has_time", CouponFactory, {"status": "redeemed", "redeemed_at": None}),
    ("message_status_known", MessageFactory, {"status": "lost"}),
    ("message_sent_has_time", MessageFactory, {"status": "sent", "sent_at": None}),
    ("message_at_work_has_lease", MessageFactory, {"status": "sending"}),
    ("message_at_work_has_lease", MessageFactory, {"status": "claimed", "lease_token": 1}),
    ("message_mailable_is_complete", MessageFactory, {"address": ""}),
    ("message_mailable_is_complete", MessageFactory, {"address_hash": ""}),
    ("message_mailable_is_complete", MessageFactory, {"message_id": None}),
    ("message_mailable_is_complete", MessageFactory, {"variant": None}),
    ("message_suppressed_has_reason", MessageFactory, {"status": "suppressed", "reason": ""}),
    ("engagement_kind_known", EngagementFactory, {"kind": "opened"}),
    ("suppression_reason_known", SuppressionFactory, {"reason": "mood"}),
    ("suppression_lift_has_reason", SuppressionFactory, {"lifted_at": models.Campaign}),
]


@pytest.mark.parametrize(("constraint", "factory", "facts"), REFUSED)
def test_the_database_refuses(constraint, factory, facts, now):
    facts = {name: now if value is models.Campaign else value for name, value in facts.items()}

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        factory(**facts)


@pytest.mark.parametrize(
    "constraint",
    [
        "enrolment_once",
        "message_once_per_customer",
        "message_once_per_address",
        "variant_once_per_language",
        "suppression_one_open",
    ],
)
def test_the_database_refuses_a_second(constraint, now):
    first = MessageFactory()
    block = SuppressionFactory()
    variant = VariantFactory(campaign=first.campaign, language="ko")
    other = EnrolmentFactory(campaign=first.campaign)
    second = {
        "enrolment_once": lambda: EnrolmentFactory(campaign=first.campaign, customer=first.customer),
        "message_once_per_customer": lambda: models.Message.objects.create(
            campaign=first.campaign,
            enrolment=other,
            customer=first.customer,
            variant=variant,
            due_at=now,
            **OTHER,
        ),
        "message_once_per_address": lambda: MessageFactory(enrolment=other, address=first.address),
        "variant_once_per_language": lambda: models.Variant.objects.create(
            campaign=first.campaign, language="ko", subject="a", body="b"
        ),
        "suppression_one_open": lambda: SuppressionFactory(address_hash=block.address_hash),
    }

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        second[constraint]()


def test_two_customers_never_hold_the_same_code():
    CouponFactory(code="SAME")

    with pytest.raises(IntegrityError, match="code"), transaction.atomic():
        CouponFactory(code="SAME")


def test_a_lifted_block_makes_room_for_a_new_one(now):
    old = SuppressionFactory(lifted_at=now - timedelta(days=1), lifted_reason="typo")

    assert SuppressionFactory(address_hash=old.address_hash).pk
