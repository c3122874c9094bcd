"""The admin's frame around a page of ours: drawn once for each kind of reader and place, then filled.

Unfold draws head, sidebar and account menu anew with every page, which takes as long as most of our pages do. All they
show follows from what ``_kind`` names; the rest are holes.
"""

import re
import secrets
from collections.abc import Hashable
from typing import Any, cast

from django.contrib import admin
from django.contrib.messages import get_messages
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import escape
from django.utils.text import capfirst
from django.utils.translation import get_language

from crm.common.models import User

OWN_HEADING = 'data-heading="own"'  # see crm/page.html
_SECRET = secrets.token_hex(12)  # nobody can write a hole into a name
_HOLE = re.compile(rf"(title|Title|here|messages|token|page)-{_SECRET}")
_BLANK_LINES = re.compile(r"\n\s*\n")
_MOST = 500
_drawn: dict[Hashable, list[str]] = {}


def render(
    request: HttpRequest, template: str, *, title: object, status: int = 200, **context: Any
) -> HttpResponse:
    """``template`` (which extends ``crm/page.html``) inside the admin's frame, for somebody signed in."""
    token = get_token(request)
    page = render_to_string(template, {"title": title, "csrf_token": token, **context}, request)
    own_heading = OWN_HEADING in page[:120]
    kind = (*_kind(request), own_heading)
    parts = _drawn.get(kind) or _draw(request, kind, own_heading)
    title = str(title)
    filling = {
        "title": escape(title),
        "Title": escape(capfirst(title)),  # the header's: the mark was given its capital there
        "here": escape(request.get_full_path()),
        "messages": _messages(request),
        "token": token,
        "page": page,
    }
    texts = [filling[part] if n % 2 else part for n, part in enumerate(parts)]
    return HttpResponse("".join(texts), status=status)


def _kind(request: HttpRequest) -> tuple[Hashable, ...]:
    """Everything a frame shows or hides by."""
    user, place = cast(User, request.user), request.resolver_match
    return (
        get_language(),
        timezone.localtime().utcoffset(),
        place.route if place else "",  # the place marked in the sidebar
        (user.get_username(), user.get_full_name(), user.email),
        user.is_superuser or frozenset(user.get_all_permissions()),
    )


def _draw(request: HttpRequest, kind: Hashable, own_heading: bool) -> list[str]:
    """Text, hole, text, hole, ..., text."""
    marks = {name: f"{name}-{_SECRET}" for name in ("title", "here", "messages", "page")}
    frame = admin.site.each_context(request) | {
        "csrf_token": f"token-{_SECRET}",
        "title": marks["title"],
        "here": marks["here"],
        "own_heading": own_heading,
    }
    text = render_to_string("crm/frame.html", {**frame, "marks": marks}, request)
    parts = _HOLE.split(_BLANK_LINES.sub("\n", text))
    if len(_drawn) >= _MOST:
        _drawn.clear()
    _drawn[kind] = parts
    return parts


def _messages(request: HttpRequest) -> str:
    waiting = get_messages(request)
    return render_to_string("unfold/helpers/messages.html", request=request) if waiting else ""
