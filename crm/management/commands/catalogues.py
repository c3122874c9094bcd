"""``manage.py catalogues``: bring the staff's words in line with the code."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from crm import catalogues


class Command(BaseCommand):
    help = "Collect what code and templates say into crm/locale/*/LC_MESSAGES/django.po; words that fit are kept."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        for language, missing in catalogues.refresh(settings.BASE_DIR).items():
            self.stdout.write(f"{language}: {missing or 'nothing'} to translate")
