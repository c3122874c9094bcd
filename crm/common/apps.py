from django.apps import AppConfig


class CommonConfig(AppConfig):
    name = "crm.common"
    label = "common"
    verbose_name = "Shop and staff"

    def ready(self) -> None:
        from crm.common import api_schema  # noqa: F401  (drf-spectacular collects what is imported)
