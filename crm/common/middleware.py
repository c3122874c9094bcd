"""Staff see pages in their own language and time zone."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.utils.functional import SimpleLazyObject

from crm.common.models import Shop


class StaffPreferencesMiddleware:
    """Activate the signed-in user's language and zone (the shop's where they chose none); others keep the browser's.

    ``request.shop`` is the shop, read at most once.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if not user.is_authenticated:
            return self.get_response(request)
        if user.language:
            request.LANGUAGE_CODE = user.language
            translation.activate(user.language)
        request.shop = shop = SimpleLazyObject(Shop.current)  # type: ignore[attr-defined]
        with timezone.override(ZoneInfo(user.time_zone) if user.time_zone else shop.zone):
            response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        return response
