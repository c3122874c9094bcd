"""Fixtures every test may use. Rows come from tests/factories; servers from tests/services."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.test import override_settings
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


@pytest.fixture(scope="session", autouse=True)
def _quick_passwords() -> Iterator[None]:
    with override_settings(PASSWORD_HASHERS=["tests.hashers.Quick"]):
        yield


@pytest.fixture(autouse=True)
def _one_language_per_test() -> Iterator[None]:
    """A request leaves its language active in the thread; the next test starts in English."""
    yield
    translation.deactivate()


@pytest.fixture(autouse=True)
def _a_shop_row(request: pytest.FixtureRequest) -> None:
    """Migrations make the shop's row; a test with real transactions flushes it away for those after it."""
    marker = request.node.get_closest_marker("django_db")
    real = {"transactional_db", "live_server"} & set(request.fixturenames)
    if real or (marker and marker.kwargs.get("transaction")):
        request.getfixturevalue("transactional_db")
    elif marker or "db" in request.fixturenames:
        request.getfixturevalue("db")
    else:
        return
    Shop.objects.get_or_create(only_row=True)
