from datetime import UTC, datetime, timedelta
from decimal import Decimal

import factory

from campaigns import models
from campaigns.choices import (
    Arm,
    CampaignStatus,
    CouponStatus,
    EngagementKind,
    MessageStatus,
    OfferKind,
    SuppressionReason,
)
from campaigns.services.suppression import hash_address
from customers.choices import Language
from tests.factories.base import Factory
from tests.factories.customers import CustomerFactory, SegmentFactory

LAUNCHED = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
ENDED = (CampaignStatus.FINISHED, CampaignStatus.STOPPED)


class OfferFactory(Factory):
    class Meta:
        model = models.Offer

    name = factory.Sequence(lambda n: f"Offer {n}")
    kind = OfferKind.PERCENT
    value = Decimal(15)


class CampaignFactory(Factory):
    """A draft campaign without texts; ``status=`` sets the times that status needs."""

    class Meta:
        model = models.Campaign

    name = factory.Sequence(lambda n: f"Campaign {n}")
    segment = factory.SubFactory(SegmentFactory)
    offer = factory.SubFactory(OfferFactory)
    control_share = Decimal("0.1")
    salt = factory.Sequence(lambda n: f"salt{n}")
    status = CampaignStatus.DRAFT
    launched_at = factory.LazyAttribute(lambda o: None if o.status == CampaignStatus.DRAFT else LAUNCHED)
    finished_at = factory.LazyAttribute(lambda o: LAUNCHED if o.status in ENDED else None)


class VariantFactory(Factory):
    """A campaign's English text, made once however often it is asked for."""

    class Meta:
        model = models.Variant
        django_get_or_create = ("campaign", "language")

    campaign = factory.SubFactory(CampaignFactory)
    language = Language.ENGLISH
    subject = "We miss you, {{ given_name }}"
    body = "Dear {{ name }},\n\nyour code is {{ coupon_code }}.\n\n{{ unsubscribe_url }}"


class EnrolmentFactory(Factory):
    class Meta:
        model = models.Enrolment

    campaign = factory.SubFactory(CampaignFactory, status=CampaignStatus.RUNNING)
    customer = factory.SubFactory(CustomerFactory)
    arm = Arm.TREATED
    enrolled_at = LAUNCHED


class CouponFactory(Factory):
    """A coupon that was mailed and may be used until the end of March."""

    class Meta:
        model = models.Coupon

    class Params:
        campaign = factory.SelfAttribute("enrolment.campaign")

    _parent = "enrolment"
    _shared = ("campaign", "customer")

    enrolment = factory.SubFactory(EnrolmentFactory)
    customer = factory.SelfAttribute("enrolment.customer")
    offer = factory.SelfAttribute("enrolment.campaign.offer")
    code = factory.Sequence(lambda n: f"TEST{n:08d}")
    status = CouponStatus.ISSUED
    expires_at = LAUNCHED + timedelta(days=30)
    redeemed_at = factory.LazyAttribute(lambda o: LAUNCHED if o.status == CouponStatus.REDEEMED else None)


class MessageFactory(Factory):
    """A mail waiting to be sent in a running campaign. ``MessageFactory(campaign=c, customer=p)`` enrols them."""

    class Meta:
        model = models.Message

    _parent = "enrolment"
    _shared = ("campaign", "customer")

    enrolment = factory.SubFactory(EnrolmentFactory)
    campaign = factory.SelfAttribute("enrolment.campaign")
    customer = factory.SelfAttribute("enrolment.customer")
    variant = factory.SubFactory(VariantFactory, campaign=factory.SelfAttribute("..enrolment.campaign"))
    address = factory.LazyAttribute(lambda o: o.customer.email_normalised or "")
    address_hash = factory.LazyAttribute(lambda o: hash_address(o.address) if o.address else "")
    status = MessageStatus.PENDING
    reason = factory.LazyAttribute(
        lambda o: "test" if o.status in (MessageStatus.SUPPRESSED, MessageStatus.FAILED) else ""
    )
    message_id = factory.Sequence(lambda n: f"<{n}@shop.example>")
    due_at = LAUNCHED
    sent_at = factory.LazyAttribute(lambda o: LAUNCHED if o.status == MessageStatus.SENT else None)


class EngagementFactory(Factory):
    class Meta:
        model = models.Engagement

    message = factory.SubFactory(MessageFactory, status=MessageStatus.SENT)
    kind = EngagementKind.CLICKED
    happened_at = LAUNCHED + timedelta(hours=1)


class SuppressionFactory(Factory):
    class Meta:
        model = models.Suppression

    address_hash = factory.Sequence(lambda n: f"{n:064x}")
    reason = SuppressionReason.BOUNCED
    created_at = LAUNCHED
