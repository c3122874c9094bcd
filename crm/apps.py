from pathlib import Path

from django.apps import AppConfig, apps
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from crm import catalogues


class CrmConfig(AppConfig):
    name = "crm"

    def ready(self) -> None:
        # Whoever rings a bell rings this Celery app's. Not in crm/__init__: what runs before Django stays fast.
        import crm.celery  # noqa: F401

        apps.get_app_config("axes").verbose_name = _("Failed sign-ins")
        catalogues.prepare(Path(settings.LOCALE_PATHS[0]))
