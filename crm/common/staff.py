"""What changes about staff: their preferences, their roles, the first owner. One of the modules that write here."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from zoneinfo import available_timezones

from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from crm.common.errors import DomainError, InvalidInput
from crm.common.models import ApiKey, User

Roles = Mapping[str, frozenset[str]]  # role -> "app_label.codename"


class UnknownPermission(DomainError):
    """A role asks for a permission that no model has."""

    code = "unknown_permission"
    message = _("A role names a permission that does not exist.")


def set_preferences(*, user: User, language: str, time_zone: str) -> User:
    """The language and zone ``user`` sees pages in; empty: as the browser asks, UTC.

    Raises:
        InvalidInput: no such language or zone.
    """
    if language and language not in dict(User._meta.get_field("language").choices or ()):
        raise InvalidInput(_("Unknown language."), field="language")
    if time_zone and time_zone not in available_timezones():
        raise InvalidInput(_("Unknown time zone."), field="time_zone")
    user.language, user.time_zone = language, time_zone
    user.save(update_fields=["language", "time_zone"])
    return user


def keep_language(*, user: User, language: str) -> bool:
    """The language chosen where ``user`` signs in is theirs from now on, unless they have one; True when it was kept."""
    known = language in dict(User._meta.get_field("language").choices or ())
    return known and bool(User.objects.filter(pk=user.pk, language="").update(language=language))


@transaction.atomic
def apply_roles(roles: Roles) -> int:
    """Make each role's group hold exactly its permissions; repeating it changes nothing. Returns the groups made.

    Raises:
        UnknownPermission: with the names that no model has.
    """
    known = {
        f"{app}.{codename}": pk
        for app, codename, pk in Permission.objects.values_list("content_type__app_label", "codename", "pk")
    }
    missing = sorted(name for names in roles.values() for name in names if name not in known)
    if missing:
        raise UnknownPermission(missing=missing)
    made = 0
    for role, names in roles.items():
        group, created = Group.objects.get_or_create(name=role)
        group.permissions.set([known[name] for name in names])
        made += created
    return made


@transaction.atomic
def ensure_owner(*, username: str, role: str) -> str | None:
    """Make the first owner with a password of its own; None when there is an owner already.

    The password is returned once and stored as a hash only.
    """
    group = Group.objects.select_for_update().get(name=role)
    if User.objects.filter(is_superuser=True).exists() or group.user_set.exists():
        return None
    password = secrets.token_urlsafe(15)
    owner = User.objects.create_user(username=username, password=password, is_staff=True)
    owner.groups.add(group)
    return password


def revoke_key(*, key: ApiKey, at: datetime) -> bool:
    """Make an API key useless at once; False when it was already."""
    return bool(ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=at))
