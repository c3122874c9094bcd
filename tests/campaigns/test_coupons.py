"""A coupon is used once, however it is typed and whoever tries."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from campaigns import events
from campaigns.choices import CouponStatus
from campaigns.models import Coupon, Engagement
from campaigns.services import coupons
from crm.common.errors import InvalidInput
from tests.factories import CouponFactory, MessageFactory

pytestmark = pytest.mark.django_db
CODE = "ABCD0123EFGH1789"


def test_a_coupon_is_redeemed_for_an_order(now):
    message = MessageFactory(status="sent")
    coupon = CouponFactory(enrolment=message.enrolment, code=CODE)
    heard = []

    def hear(**said):
        heard.append(said["coupon"].pk)

    events.coupon_redeemed.connect(hear)  # held weakly: it goes with this test

    redeemed = coupons.redeem(code=CODE, order_ref=" order-7 ", at=now)

    assert (redeemed.pk, redeemed.status, redeemed.order_ref) == (coupon.pk, "redeemed", "order-7")
    assert redeemed.redeemed_at == now
    assert Engagement.objects.values_list("message", "kind").get() == (message.pk, "redeemed")
    assert heard == [coupon.pk]


@pytest.mark.parametrize(
    "typed",
    [
        "abcd0123efgh1789",
        "ABCD-0123-EFGH-1789",
        " abcd 0123 efgh 1789 ",
        "ABCDO123EFGHI789",
        "abcdo123efghl789",
        "ABCD–0123—EFGH-1789",
    ],
)
def test_a_code_is_read_as_a_person_meant_it(typed, now):
    CouponFactory(code=CODE)

    assert coupons.redeem(code=typed, order_ref="1", at=now).code == CODE


def test_the_same_order_again_is_harmless(now):
    CouponFactory(code=CODE)
    coupons.redeem(code=CODE, order_ref="1", at=now)

    again = coupons.redeem(code=CODE, order_ref="1", at=now + timedelta(hours=1))

    assert again.redeemed_at == now
    assert Engagement.objects.count() <= 1


def test_a_second_order_is_refused(now):
    CouponFactory(code=CODE)
    coupons.redeem(code=CODE, order_ref="1", at=now)

    with pytest.raises(coupons.AlreadyRedeemed):
        coupons.redeem(code=CODE, order_ref="2", at=now)

    assert Coupon.objects.get().order_ref == "1"


def test_a_coupon_ends_at_its_last_instant(now):
    CouponFactory(code=CODE, expires_at=now)

    with pytest.raises(coupons.CouponExpired):
        coupons.redeem(code=CODE, order_ref="1", at=now)
    assert Coupon.objects.get().status == CouponStatus.ISSUED

    assert coupons.redeem(code=CODE, order_ref="1", at=now - timedelta(milliseconds=1))


@pytest.mark.parametrize("status", ["reserved", "cancelled"])
def test_a_coupon_nobody_was_sent_is_unknown(status, now):
    CouponFactory(code=CODE, status=status)

    with pytest.raises(coupons.UnknownCoupon):
        coupons.redeem(code=CODE, order_ref="1", at=now)

    assert Coupon.objects.get().status == status


@pytest.mark.parametrize(
    "code", ["", " ", "NOPE", "' OR 1=1 --", "x" * 10_000, "\x00", "ＡＢＣＤ", "ABCD0123EFGH1780"]
)
def test_a_wrong_code_is_refused_and_changes_nothing(code, now):
    CouponFactory(code=CODE)

    with pytest.raises(coupons.UnknownCoupon):
        coupons.redeem(code=code, order_ref="1", at=now)

    assert Coupon.objects.get().status == CouponStatus.ISSUED


def test_every_refusal_says_the_same(now):
    CouponFactory(code=CODE, expires_at=now)
    CouponFactory(code="USED000000000000", status="redeemed", order_ref="1")
    said = set()

    for code in (CODE, "USED000000000000", "NEVER00000000000"):
        with pytest.raises(coupons.CouponRefused) as refusal:
            coupons.redeem(code=code, order_ref="2", at=now)
        said.add((refusal.value.code, refusal.value.status, str(refusal.value), str(refusal.value.detail)))

    assert len(said) == 1


@pytest.mark.parametrize("order", ["", "  ", "x" * 101, "a\x00b"])
def test_an_order_must_be_named(order, now):
    CouponFactory(code=CODE)

    with pytest.raises(InvalidInput):
        coupons.redeem(code=CODE, order_ref=order, at=now)

    assert Coupon.objects.get().status == CouponStatus.ISSUED


@pytest.mark.django_db(transaction=True)
def test_of_fifty_racers_one_redeems(now):
    CouponFactory(code=CODE)
    gate = threading.Barrier(50)

    def race(number):
        gate.wait()
        try:
            coupons.redeem(code=CODE, order_ref=f"order-{number}", at=now)
        except coupons.AlreadyRedeemed:
            return 0
        finally:
            connection.close()
        return 1

    with ThreadPoolExecutor(50) as pool:
        won = sum(pool.map(race, range(50)))

    assert won == 1
    assert Coupon.objects.get().status == CouponStatus.REDEEMED
