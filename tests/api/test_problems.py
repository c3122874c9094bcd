"""Whatever goes wrong leaves as problem+json with a code, and is never a 500."""

import json

import pytest
from django.test import override_settings

from customers.models import Customer
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db
CUSTOMERS = "/api/v1/customers/"
NOBODY = "00000000-0000-0000-0000-000000000000"


def is_problem(answer, status, code):
    told = answer.json()
    return (
        answer.status_code == told["status"] == status
        and answer.headers["Content-Type"] == "application/problem+json"
        and told["code"] == code
        and told["type"] == f"urn:mini-crm:problem:{code}"
        and bool(told["title"])
    )


@pytest.mark.parametrize(
    "url",
    [
        "/api/v1/",
        "/api/v1/customers",
        "/api/v1/nothing/here/",
        f"{CUSTOMERS}{NOBODY}/",
        f"{CUSTOMERS}not-a-uuid/",
        f"{CUSTOMERS}{NOBODY}/ltv/",
        f"{CUSTOMERS}{NOBODY}/timeline/",
        "/api/v1/campaigns/1/states/",
        "/api/v1/segments/none/members/",
    ],
)
def test_what_is_not_there_is_404(url, api):
    assert is_problem(api.get(url), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "url"),
    [("delete", CUSTOMERS), ("put", CUSTOMERS), ("get", "/api/v1/refunds/"), ("post", "/api/v1/ltv/")],
)
def test_a_method_that_is_not_offered_is_405_and_says_which_are(method, url, api):
    answer = getattr(api, method)(url)

    assert is_problem(answer, 405, "method_not_allowed")
    assert "OPTIONS" in answer.headers["Allow"]


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "BREW"])
def test_a_method_nobody_knows_is_405(method, api):
    assert api.generic(method, CUSTOMERS).status_code == 405


def test_options_tell_nothing_to_strangers(client, db):
    assert client.options(CUSTOMERS).status_code == 401


def send(api, body, content_type="application/json"):
    return api.generic("POST", CUSTOMERS, body, content_type=content_type)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"",
        b"\xff\xfe{}",
        b'{"name": "a\\u0000b"}',
        b'{"name": "\\ud800"}',
        b'{"na\\u0000me": 1}',
        b'{"name": ["\\udfff"]}',
        b'{"name": "Kim", "name": "Lee"}',
        b'{"name": NaN}',
        b'{"name": -Infinity}',
        b'{"name": 1e999999999999999999999}',
        b'{"name": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b'{"a":' * 30 + b"1" + b"}" * 30,
        b"{'name': 'Kim'}",
        '{"name": "김"}'.encode("cp949"),
    ],
)
def test_a_body_that_is_not_plain_json_is_400(body, api):
    answer = send(api, body)

    assert is_problem(answer, 400, "parse_error") or is_problem(answer, 400, "invalid")
    assert Customer.objects.count() == 0


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"5", b"null", b"true"])
def test_a_body_that_is_no_object_is_400(body, api):
    assert is_problem(send(api, body), 400, "invalid")


@pytest.mark.parametrize("content_type", ["text/csv", "text/plain", "multipart/form-data; boundary=x", ""])
def test_another_content_type_is_415(content_type, api):
    assert is_problem(send(api, b'{"name": "Kim"}', content_type), 415, "unsupported_media_type")


def test_the_named_character_set_is_not_believed(api):
    answer = send(api, '{"name": "김"}'.encode(), "application/json; charset=nonsense")

    assert (answer.status_code, answer.json()["name"]) == (201, "김")


@override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=1000)
def test_a_body_above_the_limit_is_413(api):
    answer = send(api, json.dumps({"name": "x" * 1000}).encode())

    assert is_problem(answer, 413, "body_too_large")


@pytest.mark.parametrize(
    "query",
    [
        "cursor=x",
        "cursor=cD1h",  # p=a
        "cursor=cD0lMDA=",  # p=%00
        "cursor=cD05OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5",  # p=9999...
    ],
)
def test_a_cursor_we_did_not_make_is_404(query, api):
    assert is_problem(api.get(f"{CUSTOMERS}?{query}"), 404, "not_found")


@pytest.mark.parametrize("query", ["cursor=bz05OTk5OTk5OTk5OTk5OTk5OTk5OQ==", "page_size=-1", "page_size=x"])
def test_a_page_that_is_asked_for_strangely_is_a_page(query, api):
    CustomerFactory()

    assert api.get(f"{CUSTOMERS}?{query}").status_code in (200, 404)


def test_a_page_is_never_longer_than_200(api):
    CustomerFactory.create_batch(201)

    assert len(api.get(f"{CUSTOMERS}?page_size=1000000").json()["results"]) == 200


@pytest.mark.parametrize("query", ["page=-1", "ordering=password", "filter[__class__]=x", "id=1%20OR%201=1"])
def test_an_unknown_parameter_is_refused(query, api):
    assert is_problem(api.get(f"{CUSTOMERS}?{query}"), 400, "invalid")


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "*/*", ""])
def test_the_answer_is_json_or_the_request_is_406(accept, api):
    answer = api.get(CUSTOMERS, headers={"Accept": accept})

    assert answer.status_code in (200, 406)
    assert answer.headers["Content-Type"].split(";")[0] in ("application/json", "application/problem+json")


def test_refusals_are_told_in_the_callers_language(api, staff):
    type(staff).objects.update(language="ja")

    answer = api.get(f"{CUSTOMERS}{NOBODY}/")

    assert answer.json()["title"] == "見つかりません。"
