from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.db import transaction
from rest_framework.test import APIClient

from crm.common.api_access import issue_key
from crm.common.models import User
from tests.factories import UserFactory


def client_of(user: User) -> APIClient:
    """A program that holds a key of this member of staff."""
    _key, text = issue_key(user=user, name="test")
    client = APIClient(raise_request_exception=True)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
    return client


@pytest.fixture(autouse=True)
def _fresh_limits():
    """Requests of other tests do not count against this one's rate limit."""
    cache.clear()


@pytest.fixture
def api(staff: User) -> APIClient:
    """A program that may do everything."""
    return client_of(staff)


@pytest.fixture
def viewer(db: None) -> APIClient:
    """A program that may look at everything and change nothing."""
    user = UserFactory(username="viewer")
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    return client_of(user)


@pytest.fixture
def as_user() -> Callable[[User], APIClient]:
    return client_of


@pytest.fixture
def transactional_rows(db: None) -> Callable[[Callable[[], int]], int]:
    """Run something on rows that are gone afterwards, and return what it found."""

    def run(work: Callable[[], int]) -> int:
        with transaction.atomic():
            found = work()
            transaction.set_rollback(True)
        return found

    return run
