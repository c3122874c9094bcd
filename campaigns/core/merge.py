"""Texts written by staff: Liquid with merge fields from an allowlist, and nothing that can loop, load or call. Pure."""

import html
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from liquid import BoundTemplate, Environment, StrictUndefined
from liquid.exceptions import LiquidError

ALWAYS = frozenset({"name", "given_name", "shop_name", "unsubscribe_url", "language"})
WITH_OFFER = frozenset({"coupon_code", "coupon_expires", "offer_name"})
WITH_SURVEY = frozenset({"survey_url"})
KNOWN = ALWAYS | WITH_OFFER | WITH_SURVEY

_TAGS = ("#", "case", "comment", "content", "if", "illegal", "output", "unless")
_FILTERS = ("capitalize", "default", "downcase", "strip", "truncate", "upcase")
_MARKUP = re.compile(r"(\{\{.*?\}\}|\{%.*?%\})", re.DOTALL)
_LINK = re.compile(r"https?://[^\s<>\"'{}]+")
LONGEST_SUBJECT, LONGEST_BODY = 150, 20_000


class BadText(ValueError):
    """A text cannot be used; ``part`` is "subject" or "body", the message is for its author."""

    def __init__(self, part: str, message: str) -> None:
        self.part = part
        super().__init__(message)


class _Limited(Environment):
    """Liquid with its limits on: they are off as it comes."""

    loop_iteration_limit = 100
    output_stream_limit = 60_000
    local_namespace_limit = 10_000
    context_depth_limit = 10
    block_nesting_limit = 10


def _environment(*, autoescape: bool) -> Environment:
    environment = _Limited(undefined=StrictUndefined, autoescape=autoescape)
    environment.tags = {name: tag for name, tag in environment.tags.items() if name in _TAGS}
    environment.filters = {name: environment.filters[name] for name in _FILTERS}
    return environment


_PLAIN, _ESCAPED = _environment(autoescape=False), _environment(autoescape=True)


@dataclass(frozen=True)
class Words:
    """A subject and a body, parsed once and rendered for many. ``links`` are the addresses the author wrote."""

    subject: BoundTemplate
    text: BoundTemplate
    html: BoundTemplate
    links: frozenset[str]


def fields(*, offer: bool, survey: bool) -> frozenset[str]:
    """The merge fields a campaign's texts may use."""
    return ALWAYS | (WITH_OFFER if offer else frozenset()) | (WITH_SURVEY if survey else frozenset())


def parse(subject: str, body: str, allowed: Collection[str]) -> Words:
    """Parse a subject and a body that use only the merge fields in ``allowed``.

    Raises:
        BadText: empty or too long, wrong syntax, an unknown merge field, filter or tag.
    """
    _measure("subject", subject, LONGEST_SUBJECT)
    _measure("body", body, LONGEST_BODY)
    return Words(
        subject=_template("subject", subject, allowed, _PLAIN),
        text=_template("body", body, allowed, _PLAIN),
        html=_template("body", _escape_literals(body), allowed, _ESCAPED),
        links=frozenset(link.rstrip(".,;:!?)") for link in _LINK.findall(_MARKUP.sub(" ", body))),
    )


def _measure(part: str, source: str, longest: int) -> None:
    if not source.strip():
        raise BadText(part, "it is empty")
    if len(source) > longest:
        raise BadText(part, f"it is longer than {longest} characters")
    if "\x00" in source or any(0xD800 <= ord(letter) <= 0xDFFF for letter in source):
        raise BadText(part, "it holds a character that cannot be stored")


def _template(part: str, source: str, allowed: Collection[str], environment: Environment) -> BoundTemplate:
    try:
        template = environment.from_string(source)
        used = template.analyze(include_partials=False)
    except (LiquidError, RecursionError) as error:
        raise BadText(part, str(error).splitlines()[0]) from error
    for name, places in used.variables.items():
        if name not in allowed:
            raise BadText(part, f"unknown merge field {name!r}; known: {', '.join(sorted(allowed))}")
        if any(len(place.segments) > 1 for place in places):
            raise BadText(part, f"merge field {name!r} has no parts")
    for name in used.filters:
        if name not in _FILTERS:
            raise BadText(part, f"unknown filter {name!r}; known: {', '.join(_FILTERS)}")
    return template


def _escape_literals(body: str) -> str:
    """What stands between the merge fields as HTML text; the fields themselves stay Liquid."""
    pieces = _MARKUP.split(body)
    return "".join(p if _MARKUP.fullmatch(p) else html.escape(p, quote=False) for p in pieces)


def check(words: Words, samples: Collection[Mapping[str, Any]]) -> None:
    """Try the texts on sample customers.

    Raises:
        BadText: a sample cannot be rendered, or the subject or body comes out empty.
    """
    for values in samples:
        for part, template in (("subject", words.subject), ("body", words.text)):
            try:
                made = template.render(**values)
            except LiquidError as error:
                raise BadText(part, str(error).splitlines()[0]) from error
            if not made.strip():
                raise BadText(part, "it comes out empty for some customers")
