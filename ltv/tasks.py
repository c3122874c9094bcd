from celery import shared_task
from django.utils import timezone

from ltv.services import backtesting, night, reproducing, sharing


@shared_task(name=night.JOB)
def recalculate() -> int:
    """Rung by beat and by staff: runs the night if it is due, and what staff asked for."""
    return night.run_due(clock=timezone.now)


@shared_task(name=sharing.TASK)
def take_part() -> int:
    """Rung by the night for every worker there is: one range of customers of the stage at work, if one is left."""
    return sharing.take_part(clock=timezone.now)


@shared_task(name=backtesting.JOB)
def check_forecast() -> int:
    """Rung by beat and by staff: the week's check of the forecast if it is due, and what staff asked for."""
    return backtesting.run_due(clock=timezone.now)


@shared_task(name=reproducing.JOB)
def check_nights() -> int:
    """Rung by staff, and by beat in case their ring was lost: the past nights they asked to have worked out again."""
    return reproducing.run_due(clock=timezone.now)
