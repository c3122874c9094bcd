"""A night that is published while a page is being read is on it whole, or not at all."""

import re
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from decimal import Decimal

import psycopg
import pytest
import time_machine
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from crm.common.models import Shop
from customers.models import Customer, SegmentMembership
from ltv.models import CurrentRun, LtvRun
from tests.admin.world import DECILES, FIGURES
from tests.factories import (
    ChannelFactory,
    CustomerFactory,
    CustomerLtvFactory,
    InvitationFactory,
    LtvRunFactory,
    MembershipFactory,
    PurchaseFactory,
    ResponseFactory,
    SegmentFactory,
    publish,
)

pytestmark = pytest.mark.django_db(transaction=True)

ADDRESSES = {
    "today": "/admin/",
    "customers": "/admin/customers/",
    "customers, found": "/admin/customers/?q=somebody",
    "customers, by risk": "/admin/customers/?sort=risk&segment=at-risk",
    "segments": "/admin/segments/",
    "segment": "segment",
    "why": "why",
    "value": "/admin/value/",
    "cases": "/admin/cases/",
    "customer": "customer",
    "customer's value": "customer_value",
}
RULE = {"all": [{"trait": "ltv.clv", "op": ">=", "value": 150}]}
PUBLISH = """
WITH pointer AS (UPDATE ltv_currentrun SET run_id = %(run)s)
UPDATE customers_segmentmembership SET entered_at = %(at)s
"""
WHY = """
UPDATE ltv_customerltv SET clv_before = clv - %(why)s * 1000, change_time = %(why)s * 1000, change_purchases = 0,
    change_refunds = 0, change_rates = 0, change_refit = 0
WHERE run_id = %(run)s
"""
_TOKEN = re.compile(r'"[A-Za-z0-9]{64}"')  # against forged forms: another in each page


@pytest.fixture
def two_nights(shop: Shop) -> tuple[LtvRun, LtvRun]:
    """Two nights' figures of six customers that differ in everything: currency, day, worth, order. Readers see the first."""
    channel, segment = ChannelFactory(), SegmentFactory(key="at-risk", name="At risk", rule=RULE)
    people = [CustomerFactory(name=f"Somebody {n}", channel=channel) for n in range(6)]
    for person in people:
        MembershipFactory(customer=person, segment=segment)
        PurchaseFactory(customer=person)
        ResponseFactory(invitation=InvitationFactory(customer=person), score=2)
    nights = [_night(number, currency, people) for number, currency in ((1, "USD"), (2, "KRW"))]
    _show(nights[0])
    return nights[0], nights[1]


def _night(number: int, currency: str, people: list[Customer]) -> LtvRun:
    months = [{"month": f"2026-0{number}", "revenue": f"{number}000", "purchases": number}]
    figures = {**FIGURES, "deciles": DECILES[number:], "months": months, "active": number}
    day = date(2026, 3, number)
    at = datetime.combine(day, time(17, 15), UTC)
    run = LtvRunFactory(
        as_of=day, figures=figures, customers=number * 1000, currency=currency, started_at=at, published_at=at
    )
    publish(run)
    for place, person in enumerate(people):
        clv = Decimal(number * 100 + (place if number == 1 else -place))
        risk = 0.5 + number / 10 + place / 100
        CustomerLtvFactory(customer=person, run=run, clv=clv, p_no_purchase=risk, clv_decile=number)
    with connection.cursor() as cursor:
        cursor.execute(WHY, {"why": number, "run": run.pk})
    return run


def _show(run: LtvRun) -> None:
    CurrentRun.objects.update(run=run)
    SegmentMembership.objects.update(entered_at=run.published_at)


def address(name: str) -> str:
    known = ADDRESSES[name]
    if known.startswith("/"):
        return known
    stay = SegmentMembership.objects.earliest("pk")
    asked = {"segment": [stay.segment_id], "why": [stay.customer_id, stay.segment_id]}
    return reverse(f"crm:{known}", args=asked.get(known, [stay.customer_id]))


@contextmanager
def somebody_else():
    """Another connection, as the night's worker has one."""
    given = connection.get_connection_params()
    where = {key: given[key] for key in ("host", "port", "user", "password", "dbname") if given.get(key)}
    with psycopg.connect(**where, autocommit=True) as other:
        yield other


class PublishedAfter:
    """Publishes ``run``, pointer and segments at once, when the page has asked ``statements`` times."""

    def __init__(self, run: LtvRun, statements: int, other: psycopg.Connection) -> None:
        self.run, self.left, self.other = run, statements, other

    def __call__(self, execute, text, params, many, context):
        answer = execute(text, params, many, context)
        self.left -= 1
        if self.left == 0:
            self.other.execute(PUBLISH, {"run": self.run.pk, "at": self.run.published_at})
        return answer


@pytest.mark.parametrize("name", ADDRESSES)
def test_a_night_published_between_two_statements_is_not_half_on_the_page(name, two_nights, browser_of_staff):
    (before, after), page_at = two_nights, address(name)

    def read(published_after: int = -1) -> tuple[str, bool]:
        _show(before)
        publishing = PublishedAfter(after, published_after, other)
        with connection.execute_wrapper(publishing):
            answer = browser_of_staff.get(page_at)
        assert answer.status_code == 200
        return _TOKEN.sub("", answer.content.decode()), publishing.left > 0

    still = time_machine.travel(timezone.now(), tick=False)  # a form says what minute it is
    with still, somebody_else() as other:
        read()  # what is asked only once in a process
        old = read()[0]
        _show(after)
        new = _TOKEN.sub("", browser_of_staff.get(page_at).content.decode())
        mixed, statements, over = [], 0, False
        while not over:
            statements += 1
            page, over = read(statements)
            if page not in (old, new):
                mixed.append(statements)

    assert old != new
    assert statements > 2
    assert mixed == []
