"""Fixtures every test may use. Rows come from tests/factories; servers from tests/services."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.utils import translation

from crm.common.models import Shop, User
from tests.factories import UserFactory


@pytest.fixture
def now() -> datetime:
    """The instant tests happen at: a Monday, 18:00 in Seoul."""
    return datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def shop(db: None) -> Shop:
    """The shop: books in USD, lives on Seoul's calendar."""
    Shop.objects.update_or_create(
        only_row=True,
        defaults={
            "name": "Mori & Bada",
            "base_currency": "USD",
            "time_zone": "Asia/Seoul",
            "sender_name": "Mori & Bada",
            "sender_email": "hello@shop.example",
            "postal_address": "12 Teheran-ro, Seoul",
            "phone": "+82 2 555 0100",
        },
    )
    return Shop.current()


@pytest.fixture
def staff(db: None) -> User:
    """A member of staff who may do everything."""
    return UserFactory(username="staff", is_superuser=True)


@pytest.fixture(autouse=True)
def _one_language_per_test() -> Iterator[None]:
    """A request leaves its language active in the thread; the next test starts in English."""
    yield
    translation.deactivate()
