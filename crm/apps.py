from django.apps import AppConfig


class CrmConfig(AppConfig):
    name = "crm"

    def ready(self) -> None:
        # Whoever rings a bell rings this Celery app's. Not in crm/__init__: what runs before Django stays fast.
        import crm.celery  # noqa: F401
