from datetime import timedelta

import pytest
from django.urls import get_resolver
from django.utils import timezone
from rest_framework.test import APIClient

from crm.common.api_access import issue_key
from crm.common.models import ApiKey
from customers.models import Customer
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
CUSTOMERS = "/api/v1/customers/"


def status_with(text):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=text)
    return client.get(CUSTOMERS).status_code


def test_a_key_opens_the_api_for_its_member_of_staff(api):
    assert api.get(CUSTOMERS).status_code == 200


def test_a_key_is_shown_once_and_stored_as_a_hash(staff):
    key, text = issue_key(user=staff, name="till")

    assert text not in str(ApiKey.objects.filter(pk=key.pk).values().get())
    assert text.startswith(f"crm_{key.prefix}_")


def test_nobody_gets_in_without_a_key(db):
    answer = APIClient().get(CUSTOMERS)

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"
    assert answer.json()["code"] == "not_authenticated"


@pytest.mark.parametrize(
    "text", ["Bearer ", "Bearer nonsense", "Bearer crm_00000000_x", "Basic YTpi", "\xff"]
)
def test_an_unknown_key_is_refused(text, db):
    assert status_with(text) == 401


def test_an_expired_key_is_refused(staff):
    _key, text = issue_key(user=staff, name="old", lifetime=timedelta(seconds=-1))

    assert status_with(f"Bearer {text}") == 401


def test_a_revoked_key_is_refused_at_the_next_request(staff):
    key, text = issue_key(user=staff, name="stolen")
    assert status_with(f"Bearer {text}") == 200

    ApiKey.objects.filter(pk=key.pk).update(revoked_at=timezone.now())

    assert status_with(f"Bearer {text}") == 401


def test_a_key_goes_with_its_member_of_staff(staff):
    _key, text = issue_key(user=staff, name="till")
    type(staff).objects.update(is_active=False)

    assert status_with(f"Bearer {text}") == 401


def test_a_viewer_reads_and_changes_nothing(viewer):
    answer = viewer.post(CUSTOMERS, {"name": "Kim"}, format="json")

    assert viewer.get(CUSTOMERS).status_code == 200
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    assert Customer.objects.count() == 0


WRITES = [
    ("post", "/api/v1/customers/"),
    ("patch", "/api/v1/customers/00000000-0000-0000-0000-000000000000/"),
    ("post", "/api/v1/customers/00000000-0000-0000-0000-000000000000/merge/"),
    ("post", "/api/v1/customers/00000000-0000-0000-0000-000000000000/erase/"),
    ("post", "/api/v1/customers/00000000-0000-0000-0000-000000000000/interactions/"),
    ("post", "/api/v1/customers/00000000-0000-0000-0000-000000000000/consents/"),
    ("post", "/api/v1/customers/00000000-0000-0000-0000-000000000000/consents/withdraw/"),
    ("post", "/api/v1/purchases/"),
    ("post", "/api/v1/refunds/"),
    ("post", "/api/v1/coupons/redeem/"),
]


@pytest.mark.parametrize(("method", "url"), WRITES)
def test_every_write_asks_for_its_own_permission(method, url, viewer):
    assert getattr(viewer, method)(url, {}, format="json").status_code == 403


def test_staff_without_permissions_see_nothing(as_user):
    assert as_user(UserFactory()).get(CUSTOMERS).status_code == 403


def test_a_person_with_permissions_who_is_not_staff_sees_nothing(as_user):
    assert as_user(UserFactory(is_staff=False, is_superuser=True)).get(CUSTOMERS).status_code == 403


def test_a_session_writes_only_with_its_csrf_token(staff):
    browser = APIClient(enforce_csrf_checks=True)
    browser.force_login(staff)

    answer = browser.post(CUSTOMERS, {"name": "Kim"}, format="json")

    assert (answer.status_code, answer.headers["Content-Type"]) == (403, "application/problem+json")
    assert Customer.objects.count() == 0


def test_nobody_reads_any_endpoint_without_a_key(db):
    endpoints = [pattern for pattern in api_patterns() if pattern.name != "api-docs"]
    asked = {pattern.name: APIClient().get(url_of(pattern)).status_code for pattern in endpoints}

    # an endpoint that only takes POST says 401 as well: who asks comes before what they ask
    assert set(asked.values()) == {401}
    assert len(asked) >= 18


def api_patterns():
    [api] = [entry for entry in get_resolver().url_patterns if str(entry.pattern) == "api/v1/"]
    nested = [entry for entry in api.url_patterns if hasattr(entry, "url_patterns")]
    flat = [entry for entry in api.url_patterns if getattr(entry, "name", None)]
    return flat + [pattern for entry in nested for pattern in entry.url_patterns]


def url_of(pattern):
    route = str(pattern.pattern).replace("<uuid:public_id>", "00000000-0000-0000-0000-000000000000")
    return "/api/v1/" + route.replace("<slug:key>", "x").replace("<int:pk>", "1")


def test_the_description_is_for_staff(api, as_user):
    assert api.get("/api/v1/schema/").status_code == 200
    assert as_user(UserFactory(is_staff=False)).get("/api/v1/schema/").status_code == 403


def test_the_documentation_page_is_for_staff_and_runs_no_inline_script(client, staff):
    assert client.get("/api/v1/docs/").status_code == 302

    client.force_login(staff)
    page = client.get("/api/v1/docs/")
    script = client.get("/api/v1/docs/?script=")

    assert page.status_code == 200
    assert b"<script>" not in page.content
    assert script["Content-Type"].startswith("application/javascript")
    assert b"SwaggerUIBundle" in script.content
