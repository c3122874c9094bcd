from celery import shared_task
from django.utils import timezone

from ltv.services import night


@shared_task(name=night.JOB)
def recalculate() -> int:
    """Rung by beat and by staff: runs the night if it is due, and what staff asked for."""
    return night.run_due(clock=timezone.now)
