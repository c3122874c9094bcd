"""Reading request bodies: JSON that is exactly what it says, or a refusal. Imported by DRF while it loads."""

import json
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import IO, Any

from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions
from rest_framework.parsers import JSONParser

DEEPEST = 20
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class StrictJSONParser(JSONParser):
    """JSON in UTF-8 without duplicate keys, NaN, NUL or half characters; numbers with a point are exact."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            data = json.loads(
                stream.read().decode("utf-8"),
                parse_float=Decimal,
                parse_constant=_refuse_constant,
                object_pairs_hook=_once_each,
            )
            _check(data)
        except (ValueError, ArithmeticError, RecursionError) as error:
            raise exceptions.ParseError(_("The body is not plain JSON in UTF-8.")) from error
        return data


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _once_each(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"{key} comes twice")
        found[key] = value
    return found


def _check(data: Any) -> None:
    """Refuse texts that PostgreSQL cannot hold, and nesting that nothing here needs."""
    level = [data]
    for _depth in range(DEEPEST):
        level = [part for value in level for part in _parts(value)]
        if not level:
            return
    raise ValueError("nested too deeply")


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, str):
        if not is_storable(value):
            raise ValueError("a character that cannot be stored")
        return ()
    if isinstance(value, dict):
        return (*value.keys(), *value.values())
    return value if isinstance(value, list) else ()


def is_storable(text: str) -> bool:
    """Whether PostgreSQL can hold the text: no NUL, no half of a surrogate pair."""
    return _UNSTORABLE.search(text) is None
