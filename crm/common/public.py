"""Pages for people without an account: strict headers, and a limit on how often one address may ask."""

from collections.abc import Callable
from functools import wraps

from csp.constants import NONE, SELF
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from redis.exceptions import RedisError

View = Callable[..., HttpResponse]

# No script at all: these pages work without any.
_POLICY = {
    "default-src": [NONE],
    "style-src": [SELF],
    "img-src": [SELF],
    "form-action": [SELF],
    "base-uri": [NONE],
    "frame-ancestors": [NONE],
}
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",  # the address of the page is the token
    "X-Robots-Tag": "noindex, nofollow",
}


def public_page(*, per_minute: int | None = 60) -> Callable[[View], View]:
    """Decorate a view that strangers may open.

    The answer carries a policy without scripts and without third parties, is never stored, and its address is
    never told to another site. Above ``per_minute`` requests of one IP address it is 429; None: no limit.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapped(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
            if per_minute is not None and _too_often(request, per_minute):
                response = _refuse(request)
            else:
                response = view(request, *args, **kwargs)
            for name, value in _HEADERS.items():
                response.headers[name] = value
            response._csp_config = _POLICY  # type: ignore[attr-defined]  # instead of the staff's policy
            return response

        return wrapped

    return decorate


def _refuse(request: HttpRequest) -> HttpResponse:
    context = {
        "language": getattr(request, "LANGUAGE_CODE", "en"),
        "heading": _("Too many requests"),
        "text": _("Please wait a minute, then try again."),
    }
    response = render(request, "public/notice.html", context, status=429)
    response.headers["Retry-After"] = "60"
    return response


def _too_often(request: HttpRequest, limit: int) -> bool:
    """Count this request in its address's minute. A cache that is away refuses nobody."""
    key = f"public-page:{_address(request)}"
    try:
        cache.add(key, 0, timeout=60)
        return cache.incr(key) > limit
    except (RedisError, ValueError):  # ValueError: the minute ended between the two
        return False


def _address(request: HttpRequest) -> str:
    """The visitor's IP address; behind N trusted proxies the N-th from the right of X-Forwarded-For."""
    proxies = settings.AXES_IPWARE_PROXY_COUNT
    forwarded = request.headers.get("X-Forwarded-For", "").split(",")
    if proxies and len(forwarded) >= proxies:
        return forwarded[-proxies].strip()[:64]
    return str(request.META.get("REMOTE_ADDR", ""))
