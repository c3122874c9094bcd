"""Shapes of requests and answers: serializers that refuse what they do not know, and exact fields."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import exceptions, serializers
from rest_framework.request import Request

from crm.common.api_json import is_storable

_PAGING = {"cursor", "page_size", "format"}
_PLAIN = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,6})?", re.ASCII)


class Shape(serializers.Serializer):
    """What a body looks like. A field it does not have is refused, so that a typing error is never silence."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            known = {name for name, field in self.fields.items() if not field.read_only}
            unknown = sorted(set(data) - known)
            if unknown:
                raise serializers.ValidationError({name: [_("There is no such field.")] for name in unknown})
        return super().to_internal_value(data)


def body(shape: type[Shape], request: Request, **options: Any) -> Any:
    """The request's body, checked and converted. Raises ValidationError."""
    read = shape(data=request.data, **options)
    read.is_valid(raise_exception=True)
    return read.validated_data


def query(shape: type[Shape], request: Request) -> dict[str, Any]:
    """The query string, checked and converted; paging parameters aside. Raises ValidationError."""
    given = {name: str(value) for name, value in request.query_params.items() if name not in _PAGING}
    if not all(is_storable(name) and is_storable(value) for name, value in given.items()):
        raise exceptions.ParseError(_("The query holds a character that cannot be stored."))
    read = shape(data=given)
    read.is_valid(raise_exception=True)
    return dict(read.validated_data)


class Instant(serializers.DateTimeField):
    """A point in time: ISO 8601 with a zone. Without one it would mean something else for everybody."""

    default_error_messages = {
        "no_zone": _("This must be a time with a time zone, such as 2026-03-02T09:00:00Z.")
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(default_timezone=UTC, **options)

    def enforce_timezone(self, value: datetime) -> datetime:
        if value.tzinfo is None:
            self.fail("no_zone")
        return super().enforce_timezone(value)


@extend_schema_field({"type": "string", "format": "decimal", "pattern": r"^-?[0-9]{1,12}(\.[0-9]{1,6})?$"})
class Amount(serializers.Field):
    """A plain decimal number, as text or as a JSON number: no NaN, 1e400, 1_000 or full-width digits."""

    default_error_messages = {"not_plain": _("This must be a plain number such as 1234.50.")}

    def to_internal_value(self, data: Any) -> Decimal:
        if isinstance(data, bool) or not isinstance(data, str | int | Decimal):
            self.fail("not_plain")
        text = f"{data:f}" if isinstance(data, Decimal) and data.is_finite() else str(data)[:40]
        if not _PLAIN.fullmatch(text):
            self.fail("not_plain")
        return Decimal(text)

    def to_representation(self, value: Decimal) -> str:
        """Without trailing zeros: one number has one text, however it came."""
        return f"{value.normalize():f}"
