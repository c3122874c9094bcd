from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _


class CommonConfig(AppConfig):
    name = "crm.common"
    label = "common"
    verbose_name = _("Shop and staff")

    def ready(self) -> None:
        from crm.common import api_schema  # noqa: F401  (drf-spectacular collects what is imported)

        user_logged_in.connect(_keep_language, dispatch_uid="common.keep_language")


def _keep_language(request: HttpRequest | None, user: Any, **_kwargs: Any) -> None:
    from crm.common import staff

    if request is not None:
        staff.keep_language(user=user, language=request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, ""))
