"""What campaigns did; sent by services inside their transaction."""

from django.dispatch import Signal

coupon_redeemed = Signal()  # coupon, at
