"""What the night found; sent inside the transaction that publishes it."""

from django.dispatch import Signal

run_published = Signal()  # run, at
forecast_judged = Signal()  # card, at: a new verdict, or an owner's decision about the newest
