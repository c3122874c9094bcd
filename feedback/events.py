"""What customers told us; sent by services inside their transaction."""

from django.dispatch import Signal

survey_answered = Signal()  # response, at
