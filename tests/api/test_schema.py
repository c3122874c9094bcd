"""The OpenAPI document is complete and true: schemathesis throws it at the API, in this process."""

import io
from collections.abc import Iterator

import pytest
import schemathesis.openapi
import yaml
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from crm.common.api_access import issue_key
from crm.wsgi import application
from tests.api.test_access import api_patterns, url_of
from tests.factories import (
    AnswerFactory,
    ConsentFactory,
    CouponFactory,
    CustomerLtvFactory,
    InteractionFactory,
    MembershipFactory,
    MessageFactory,
    RefundFactory,
)

pytestmark = pytest.mark.django_db
EXAMPLES = 5  # an operation and a mode
CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance]


@pytest.fixture
def one_connection(db: None) -> Iterator[None]:
    """Requests use the test's own transaction, as Django's test client does it."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def operations(shop, staff, one_connection) -> list[tuple[APIOperation, dict[str, str]]]:
    """Every documented operation, of an API with a little of everything in it."""
    for factory in (AnswerFactory, ConsentFactory, CouponFactory, CustomerLtvFactory, InteractionFactory):
        factory()
    MembershipFactory(), MessageFactory(), RefundFactory()
    _key, text = issue_key(user=staff, name="schemathesis")
    headers = {"Authorization": f"Bearer {text}", "Host": "127.0.0.1"}
    document = schemathesis.openapi.from_wsgi("/api/v1/schema/?format=json", application, headers=headers)
    found = [result.ok() for result in document.get_all_operations()]
    return [(operation, headers) for operation in found]


def throw(operation: APIOperation, mode: GenerationMode, headers: dict[str, str]) -> set[int]:
    """Send the operation a few made-up requests; returns the statuses it answered with."""
    answered = set()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case):
        answer = case.call(headers=headers)
        answered.add(answer.status_code)
        case.validate_response(answer, checks=CHECKS)

    send()
    return answered


@pytest.mark.parametrize("mode", GenerationMode)
def test_no_request_breaks_the_api_and_every_answer_is_as_documented(mode, operations):
    answered = {operation.label: throw(operation, mode, headers) for operation, headers in operations}

    assert all(answered.values())
    assert len(answered) >= 20


def test_the_document_is_valid_and_without_warnings():
    out = io.StringIO()

    call_command("spectacular", validate=True, fail_on_warn=True, stdout=out)

    document = yaml.safe_load(out.getvalue())
    assert document["components"]["securitySchemes"]["apiKey"]["scheme"] == "bearer"


def test_every_endpoint_is_documented():
    out = io.StringIO()
    call_command("spectacular", stdout=out)
    documented = set(yaml.safe_load(out.getvalue())["paths"])

    undocumented = {
        url_of(pattern) for pattern in api_patterns() if pattern.name not in ("api-schema", "api-docs")
    } - {
        path.replace("{public_id}", "00000000-0000-0000-0000-000000000000")
        .replace("{key}", "x")
        .replace("{id}", "1")
        .replace("{pk}", "1")
        for path in documented
    }

    assert undocumented == set()
