from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from crm.common import staff as staff_service
from crm.common.models import Shop, User
from crm.roles import ROLES
from tests.admin.world import World, build
from tests.factories import UserFactory


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    """Figures kept for an hour belong to another test's shop."""
    cache.clear()


@pytest.fixture
def as_role(db: None) -> Callable[[str], Client]:
    """A browser of somebody with exactly that role."""
    staff_service.apply_roles(ROLES)

    def sign_in(role: str) -> Client:
        user = UserFactory(username=f"the-{role}")
        user.groups.add(Group.objects.get(name=role))
        client = Client()
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def world(shop: Shop, staff: User) -> World:
    return build(2, staff=staff)


@pytest.fixture
def browser_of_staff(staff: User) -> Client:
    client = Client()
    client.force_login(staff)
    return client


@pytest.fixture
def press(browser_of_staff: Client, shop: Shop) -> Callable[..., HttpResponse]:
    """Press a button and see the page it leads to."""

    def act(button: str, /, *args: object, **data: object) -> HttpResponse:
        return browser_of_staff.post(reverse(f"crm:{button}", args=args), data, follow=True)

    return act
