"""What the night found; sent inside the transaction that publishes it."""

from django.dispatch import Signal

run_published = Signal()  # run, at
