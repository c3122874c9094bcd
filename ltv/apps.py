from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LtvConfig(AppConfig):
    name = "ltv"
    verbose_name = _("Value")

    def ready(self) -> None:
        from ltv import receivers, traits

        receivers.connect()
        traits.register()
