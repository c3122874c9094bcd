"""What happened to a customer; sent by services inside their transaction, so a receiver's work commits with it."""

from django.dispatch import Signal

consent_withdrawn = Signal()  # customer_id, purpose, at
customers_merged = Signal()  # keep_id, other_id, kept_address, lost_address (normalised or None), at
customer_erased = Signal()  # customer_id, addresses (normalised), at
customer_email_changed = Signal()  # customer_id, old_normalised, at
segments_changed = Signal()  # at, entered: {segment_id: count}, left: {segment_id: count}
purchase_recorded = Signal()  # purchase, at; only of one recorded by itself: many at once are read, not heard
