"""Bells of the customers app."""

from celery import shared_task
from django.utils import timezone

from customers.services import imports


@shared_task(name="customers.run_imports")
def run_imports() -> int:
    """Check and apply the imports that wait; a killed one goes on where it stopped."""
    return imports.run_due(clock=timezone.now)
