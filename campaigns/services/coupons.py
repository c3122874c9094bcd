"""Redeeming a coupon: once, whoever tries and however often."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from campaigns import events
from campaigns.choices import CouponStatus, EngagementKind
from campaigns.core import codes
from campaigns.models import Coupon, Engagement, Message
from crm.common.errors import DomainError, InvalidInput


class CouponRefused(DomainError):
    """The code cannot be redeemed. What exactly is wrong with it is not for whoever is guessing codes to know."""

    code = "coupon_refused"
    message = _("This code is not valid.")


class UnknownCoupon(CouponRefused):
    """No customer holds such a code."""


class AlreadyRedeemed(CouponRefused):
    """It was used for another order."""


class CouponExpired(CouponRefused):
    """Its time is over."""


@transaction.atomic
def redeem(*, code: str, order_ref: str, at: datetime) -> Coupon:
    """Use a coupon for an order; the same code for the same order again is harmless.

    Raises:
        InvalidInput: no order is named.
        UnknownCoupon, AlreadyRedeemed, CouponExpired: refused, all with the same words.
    """
    order = order_ref.strip()
    if not order or len(order) > 100 or "\x00" in order:
        raise InvalidInput(_("An order id of 1 to 100 characters is needed."), field="order_ref")
    wanted = codes.normalise(code).replace("\x00", "")
    won = Coupon.objects.filter(code=wanted, status=CouponStatus.ISSUED, expires_at__gt=at).update(
        status=CouponStatus.REDEEMED, redeemed_at=at, order_ref=order
    )
    coupon = Coupon.objects.select_related("offer", "customer").filter(code=wanted).first()
    if not won:
        return _already(coupon, order)
    assert coupon is not None
    message = Message.objects.filter(enrolment=coupon.enrolment_id).values_list("pk", flat=True).first()
    if message:
        Engagement.objects.create(message_id=message, kind=EngagementKind.REDEEMED, happened_at=at)
    events.coupon_redeemed.send(sender=Coupon, coupon=coupon, at=at)
    return coupon


def _already(coupon: Coupon | None, order: str) -> Coupon:
    if coupon is None or coupon.status in (CouponStatus.RESERVED, CouponStatus.CANCELLED):
        raise UnknownCoupon
    if coupon.status == CouponStatus.ISSUED:
        raise CouponExpired
    if coupon.order_ref != order:
        raise AlreadyRedeemed
    return coupon
