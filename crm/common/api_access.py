"""Who may use the API, and how it pages. Kept apart from ``api``: DRF imports these while it loads its views."""

import hashlib
import re
import secrets
from datetime import timedelta
from typing import Any

from django.utils import timezone, translation
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.pagination import CursorPagination
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from crm.common.models import ApiKey, User

_ACTIONS = {
    "GET": "view", "HEAD": "view", "OPTIONS": "view",
    "POST": "add", "PUT": "change", "PATCH": "change", "DELETE": "delete",
}  # fmt: skip


def hash_key(key: str) -> str:
    """What is stored of an API key. The key has 256 random bits, so a plain hash is enough."""
    return hashlib.sha256(key.encode()).hexdigest()


def issue_key(*, user: User, name: str, lifetime: timedelta | None = None) -> tuple[ApiKey, str]:
    """Make a key for ``user``; the text is returned once and stored nowhere."""
    prefix, now = secrets.token_hex(4), timezone.now()
    text = f"crm_{prefix}_{secrets.token_urlsafe(32)}"
    expires = now + lifetime if lifetime else None
    key = ApiKey.objects.create(
        user=user, name=name, prefix=prefix, key_hash=hash_key(text), created_at=now, expires_at=expires
    )
    return key, text


class ApiKeyAuthentication(BaseAuthentication):
    """``Authorization: Bearer crm_<prefix>_<secret>``; the caller acts as the key's member of staff."""

    keyword = "Bearer"

    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        scheme, _space, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        now = timezone.now()
        key = (
            ApiKey.objects.select_related("user")
            .filter(key_hash=hash_key(text.strip()), revoked_at=None)
            .first()
        )
        if key is None or not key.user.is_active or (key.expires_at and key.expires_at <= now):
            raise exceptions.AuthenticationFailed(_("The API key is unknown, expired or revoked."))
        if key.last_used_on != now.date():
            ApiKey.objects.filter(pk=key.pk).update(last_used_on=now.date())
        if key.user.language:
            translation.activate(key.user.language)  # the next request starts anew in LocaleMiddleware
        return key.user, key

    def authenticate_header(self, request: Request) -> str:
        return self.keyword


def caller(request: Request) -> User:
    """The member of staff behind a request that HasModelPermission let through."""
    assert isinstance(request.user, User)
    return request.user


class HasModelPermission(BasePermission):
    """Staff with the Django permission that the view's ``permission_model`` asks for the method.

    A view may set ``permission_action`` ("view", "change", ...) where the method alone does not tell.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        user = request.user
        if not (user and user.is_authenticated and user.is_active and user.is_staff):
            return False
        model = getattr(view, "permission_model", None)
        if model is None:
            return False
        action = getattr(view, "permission_action", None) or _ACTIONS.get(request.method or "GET")
        if action is None:
            raise exceptions.MethodNotAllowed(str(request.method))
        return user.has_perm(f"{model._meta.app_label}.{action}_{model._meta.model_name}")


class CursorPages(CursorPagination):
    """Pages by key: as quick at row 900,000 as at row 1, and never a count of the whole table."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"
    ordering = ("-pk",)

    def decode_cursor(self, request: Request) -> Any:
        """The place a cursor names. One that we did not make is refused before the database sees it."""
        cursor = super().decode_cursor(request)
        if cursor and cursor.position is not None and not re.fullmatch(r"[0-9]{1,18}", str(cursor.position)):
            raise exceptions.NotFound(self.invalid_cursor_message)
        return cursor
