"""Using a coupon for an order, and what staff are told when it is refused."""

import pytest

from campaigns.choices import CouponStatus
from campaigns.models import Coupon
from tests.factories import CouponFactory, CustomerFactory, EnrolmentFactory


def test_a_coupon_is_used_once(press):
    coupon = CouponFactory(code="ABCD2345EFGH6789", expires_at="2099-01-01T00:00Z")

    press("coupon_redeem", code="ABCD-2345-EFGH-6789", order_ref="SO-1")
    again = press("coupon_redeem", code="ABCD-2345-EFGH-6789", order_ref="SO-2")

    coupon.refresh_from_db()
    assert (coupon.status, coupon.order_ref) == (CouponStatus.REDEEMED, "SO-1")
    assert again.status_code == 422


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (
            {"status": "redeemed", "redeemed_at": "2026-03-01T17:15Z", "order_ref": "SO-1"},
            "Already used by Kim Minsu on Mar 2, 2026 02:15 KST, for order SO-1. A coupon works once.",
        ),
        ({"expires_at": "2026-01-02T00:00Z"}, "This coupon of Kim Minsu expired on Jan 2, 2026."),
        ({"status": "cancelled"}, "This coupon of Kim Minsu was cancelled: its mail was never sent."),
        ({"status": "reserved"}, "The mail with this coupon has not left yet, so it cannot be used."),
        ({"code": "0000000000000000"}, "No coupon has this code."),
    ],
)
def test_staff_are_told_why_a_coupon_is_refused(press, facts, words):
    enrolment = EnrolmentFactory(customer=CustomerFactory(name="Kim Minsu"))
    given = {"code": "ABCD2345EFGH6789", "enrolment": enrolment, "expires_at": "2099-01-01T00:00Z", **facts}
    before = Coupon.objects.filter(pk=CouponFactory(**given).pk).values().get()

    answer = press("coupon_redeem", code="ABCD-2345-EFGH-6789", order_ref="SO-2")

    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert Coupon.objects.values().get() == before
