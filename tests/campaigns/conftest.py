from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from campaigns.models import Campaign
from campaigns.services import campaigns as campaigning
from campaigns.services import delivery
from crm.common.models import Shop
from customers.models import Customer, Segment, SegmentMembership
from tests.campaigns.sink import Sink
from tests.factories import ConsentFactory, CustomerFactory, OfferFactory, SegmentFactory

TEXT = ("We miss you, {{ given_name }}", "Dear {{ name }},\n\nyour code is {{ coupon_code }}.")


def count_states(campaign: Campaign) -> dict[tuple[str, str], int]:
    """How many messages of a campaign stand where and why."""
    return Counter(campaign.messages.values_list("status", "reason"))


@pytest.fixture
def sink(settings: Any) -> Iterator[Sink]:
    """A mail server that SMTP_URL points at."""
    server = Sink().start()
    settings.SMTP_URL = server.url
    settings.SITE_URL = "https://crm.example"
    settings.SMTP_TIMEOUT = 2
    yield server
    server.stop()


@pytest.fixture
def segment(db: None) -> Segment:
    return SegmentFactory()


@pytest.fixture
def member(segment: Segment, now: datetime) -> Callable[..., Customer]:
    """Makes a customer who is in the segment and, unless told otherwise, agreed to marketing mail."""

    def make(*, consents: bool = True, **facts: Any) -> Customer:
        customer = CustomerFactory(**facts)
        SegmentMembership.objects.create(segment=segment, customer=customer, entered_at=now)
        if consents:
            ConsentFactory(customer=customer)
        return customer

    return make


@pytest.fixture
def draft(shop: Shop, segment: Segment, now: datetime) -> Callable[..., Campaign]:
    """Makes a draft to the segment, with an offer and without a held-out share unless told otherwise."""

    def make(**facts: Any) -> Campaign:
        given = {
            "name": f"Draft {Campaign.objects.count()}",
            "kind": "win_back",
            "segment": segment,
            "variants": {"en": TEXT},
            "control_share": Decimal(0),
            "offer": facts.pop("offer") if "offer" in facts else OfferFactory(),
            "at": now,
        }
        return campaigning.create_campaign(**(given | facts))

    return make


@pytest.fixture
def launched(draft: Callable[..., Campaign], now: datetime, sink: Sink) -> Callable[..., Campaign]:
    """Makes and launches a campaign."""

    def make(**facts: Any) -> Campaign:
        return campaigning.launch(campaign=draft(**facts), by=None, at=now)

    return make


@pytest.fixture
def deliver(now: datetime, sink: Sink) -> Callable[..., delivery.Counts]:
    """Sends what is due at ``now``."""

    def run(at: datetime = now, **options: Any) -> delivery.Counts:
        return delivery.deliver_due(clock=lambda: at, **options)

    return run
