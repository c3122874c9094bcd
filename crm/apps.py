from pathlib import Path

from django.apps import AppConfig
from django.conf import settings

from crm import catalogues


class CrmConfig(AppConfig):
    name = "crm"

    def ready(self) -> None:
        # Whoever rings a bell rings this Celery app's. Not in crm/__init__: what runs before Django stays fast.
        import crm.celery  # noqa: F401

        catalogues.prepare(Path(settings.LOCALE_PATHS[0]))
