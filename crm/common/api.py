"""What every API endpoint shares: problem+json errors and idempotent writes. Keys and pages: ``api_access``."""

import hashlib
import json
import logging
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, cast

from django.core.exceptions import RequestDataTooBig
from django.db import OperationalError, transaction
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView, exception_handler, set_rollback

from crm.common.errors import DomainError, InvalidInput
from crm.common.models import IdempotencyRecord, User

logger = logging.getLogger(__name__)
PROBLEM = "application/problem+json"
REMEMBERED = timedelta(days=30)  # an Idempotency-Key and its answer
_KEY = re.compile(r"[\x21-\x7e]{1,120}")


def problem_body(*, code: str, title: str, http_status: int, **extra: object) -> dict[str, object]:
    """What an RFC 9457 answer says."""
    return {
        "type": f"urn:mini-crm:problem:{code}",
        "title": title,
        "status": http_status,
        "code": code,
        **extra,
    }


def problem(*, code: str, title: str, http_status: int, **extra: object) -> Response:
    """An RFC 9457 answer."""
    body = problem_body(code=code, title=title, http_status=http_status, **extra)
    return Response(body, status=http_status, content_type=PROBLEM)


def problem_json(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: every refusal leaves as problem+json."""
    if isinstance(error, DomainError):
        return problem(code=error.code, title=str(error.text), http_status=error.status, **error.detail)
    if isinstance(error, RequestDataTooBig):
        return problem(code="body_too_large", title=_("The body is too large."), http_status=413)
    if isinstance(error, OperationalError):
        return _busy(error)
    response = exception_handler(error, context)
    if response is None:
        return None
    code = "not_found" if isinstance(error, Http404) else getattr(error, "default_code", "error")
    extra = {"errors": response.data} if isinstance(error, exceptions.ValidationError) else {}
    title = _("The request is not valid.") if extra else str(getattr(error, "detail", _("Not found.")))
    answer = problem(code=str(code), title=title, http_status=response.status_code, **extra)
    for header, value in response.headers.items():
        if header.lower() != "content-type":
            answer[header] = value
    return answer


def _busy(error: OperationalError) -> Response:
    """A lock or a statement took longer than a request may wait, or PostgreSQL is away: try again."""
    logger.error("the database did not answer in time: %s", error)
    answer = problem(code="database_busy", title=_("Please try again in a moment."), http_status=503)
    answer["Retry-After"] = "2"
    set_rollback()
    return answer


class BadKey(InvalidInput):
    code = "idempotency_key_malformed"
    message = _lazy("An Idempotency-Key is 1 to 120 printable ASCII characters.")


class KeyReused(DomainError):
    code = "idempotency_key_reused"
    status = 422


def idempotent(request: Request, route: str, work: Callable[[], tuple[int, Any]]) -> Response:
    """Run ``work`` once per Idempotency-Key; a repeat gets the first answer, and changes nothing.

    ``work`` returns (status, JSON-ready body) and runs in the same transaction as the record of its answer.
    Without the header it simply runs.

    Raises:
        BadKey: too long to be told from another, or not printable.
        KeyReused: the key came before with another body.
    """
    key = request.headers.get("Idempotency-Key", "").strip()
    if key and not _KEY.fullmatch(key):
        raise BadKey
    if not key:
        with transaction.atomic():
            code, body = work()
        return Response(body, status=code)
    digest = hashlib.sha256(json.dumps(request.data, sort_keys=True, default=str).encode()).hexdigest()
    with transaction.atomic():
        record, new = IdempotencyRecord.objects.select_for_update().get_or_create(
            key=key,
            route=route,
            user=cast(User, request.user),  # permissions let nobody else this far
            defaults={"body_hash": digest, "status": 0, "reply": {}, "created_at": timezone.now()},
        )
        if not new:
            return _replay(record, digest)
        code, body = work()
        IdempotencyRecord.objects.filter(pk=record.pk).update(status=code, reply=body)
    return Response(body, status=code)


def _replay(record: IdempotencyRecord, digest: str) -> Response:
    if record.body_hash != digest:
        raise KeyReused(_("This Idempotency-Key was used with another body."))
    return Response(
        record.reply, status=record.status or status.HTTP_200_OK, headers={"Idempotent-Replay": "true"}
    )


def forget_answers(*, now: datetime) -> int:
    """Forget the stored answers that nobody will ask for again; returns how many."""
    count, _by_model = IdempotencyRecord.objects.filter(created_at__lt=now - REMEMBERED).delete()
    return count


@extend_schema(exclude=True)
class Nowhere(APIView):
    """The end of the API's addresses: what is not there is told as problem+json too."""

    authentication_classes = ()
    permission_classes = ()

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        raise exceptions.NotFound
