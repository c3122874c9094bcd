"""Who is signed in and what they may: Django's own backend, whose questions every request of staff asks."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Permission

from crm.common.models import User
from crm.common.orm import Prepared

_user = Prepared(lambda pk: User.objects.filter(pk=pk), int)
_permissions = {
    "user": Prepared(lambda pk: _named(user=pk), int),
    "group": Prepared(lambda pk: _named(group__user=pk), int),
}


def _named(**whose: int) -> Any:
    return Permission.objects.filter(**whose).values_list("content_type__app_label", "codename").order_by()


class StaffBackend(ModelBackend):
    """The same answers without writing the same statements for every page."""

    def get_user(self, user_id: int) -> User | None:
        user = _user.first(user_id)
        return user if user and self.user_can_authenticate(user) else None

    def _get_permissions(self, user_obj: Any, obj: Any, from_name: str) -> set[str]:
        kept = f"_{from_name}_perm_cache"
        if not (user_obj.is_anonymous or user_obj.is_superuser or hasattr(user_obj, kept)):
            found = _permissions[from_name](user_obj.pk)
            setattr(user_obj, kept, {f"{app}.{codename}" for app, codename in found})
        return super()._get_permissions(user_obj, obj, from_name)  # type: ignore[misc, no-any-return]
