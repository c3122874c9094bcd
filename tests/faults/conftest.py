from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from campaigns.models import Campaign
from campaigns.services import campaigns as campaigning
from crm.common.redis import client
from customers.models import Consent, Customer, SegmentMembership
from ltv.core import uncertainty
from ltv.services import valuing
from tests.factories import OfferFactory, SegmentFactory
from tests.faults import nursery as nursery_process
from tests.faults.harness import QUEUE, Bell, MailServerProcess, Nursery
from tests.faults.nights import NightShop


@pytest.fixture(scope="module")
def _mail_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServerProcess]:
    server = MailServerProcess(tmp_path_factory.mktemp("mail"))
    yield server
    server.stop()


@pytest.fixture
def mail_server(_mail_server: MailServerProcess, settings: Any) -> MailServerProcess:
    """With an empty record."""
    _mail_server.forget()
    settings.SMTP_URL = _mail_server.url
    return _mail_server


LEASE = 3.0  # seconds; in production a minute


@pytest.fixture(scope="module")
def _mailing_nursery(
    django_db_setup: None, tmp_path_factory: pytest.TempPathFactory, _mail_server: MailServerProcess
) -> Iterator[Nursery]:
    folder = tmp_path_factory.mktemp("nursery")
    made = Nursery(folder, SMTP_URL=_mail_server.url, CAMPAIGN_LEASE_SECONDS=str(LEASE))
    yield made
    made.close()


@pytest.fixture
def nursery(db: None, mail_server: MailServerProcess, _mailing_nursery: Nursery) -> Iterator[Nursery]:
    """Workers that send to the mail server. What they are forked from imports once for all tests of a file."""
    yield _mailing_nursery
    _mailing_nursery.kill_workers()


@pytest.fixture
def small_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    """What this process values by itself it cuts into ranges as the nursery's workers do."""
    monkeypatch.setattr(valuing, "PART", nursery_process.CUSTOMERS_A_RANGE)
    monkeypatch.setattr(uncertainty, "MATTERS_UP_TO", 0)


@pytest.fixture
def night_shop(transactional_db: None, small_ranges: None) -> Iterator[NightShop]:
    made = NightShop()
    yield made
    made.close()


@pytest.fixture(scope="session")
def _night_nursery(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    made = Nursery(tmp_path_factory.mktemp("nursery"))
    yield made
    made.close()


@pytest.fixture
def night_nursery(transactional_db: None, _night_nursery: Nursery) -> Iterator[Nursery]:
    """Workers without a mail server. What they are forked from imports once for all tests."""
    yield _night_nursery
    _night_nursery.kill_workers()


@pytest.fixture
def bell() -> Iterator[Bell]:
    """In a quiet street: what an earlier test rang and nobody answered any more would be answered first."""
    client().delete(QUEUE, "unacked", "unacked_index")
    rings = Bell()
    yield rings
    rings.close()


@pytest.fixture
def big_campaign(shop: Any, mail_server: MailServerProcess) -> Callable[[int], Campaign]:
    """Launches a campaign to so many consenting customers, a coupon in every mail, nobody held out."""

    def make(size: int) -> Campaign:
        at = datetime.now(UTC) - timedelta(minutes=1)
        segment = SegmentFactory()
        people = Customer.objects.bulk_create(
            Customer(
                name=f"Customer {number}",
                email=f"c{number}@mail.example",
                email_normalised=f"c{number}@mail.example",
                acquired_at=at,
            )
            for number in range(size)
        )
        Consent.objects.bulk_create(
            Consent(
                customer=person,
                purpose="marketing",
                status="granted",
                source="test",
                wording="yes",
                stated_at=at,
                recorded_at=at,
            )
            for person in people
        )
        SegmentMembership.objects.bulk_create(
            SegmentMembership(segment=segment, customer=person, entered_at=at) for person in people
        )
        campaign = campaigning.create_campaign(
            name="Chaos",
            kind="win_back",
            segment=segment,
            variants={"en": ("We miss you", "Dear {{ name }},\n\nyour code is {{ coupon_code }}.")},
            control_share=Decimal(0),
            offer=OfferFactory(),
            at=at,
        )
        return campaigning.launch(campaign=campaign, by=None, at=at)

    return make
