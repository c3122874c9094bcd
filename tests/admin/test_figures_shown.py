"""Figures on Today, Value and the list of customers are those of the ledger, said with their day."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from customers.choices import ChannelKind
from ltv import reports
from ltv.services import night
from tests.factories import (
    ChannelFactory,
    CustomerFactory,
    CustomerLtvFactory,
    LtvRunFactory,
    MembershipFactory,
    SegmentFactory,
    publish,
)
from tests.ltv.test_night import a_base_of, buy

BOUGHT = date(2026, 2, 20)


@pytest.fixture
def known(now, shop):
    """Somebody who last bought on BOUGHT, as of the night of March 2."""
    customer = CustomerFactory(name="Mina")
    buy(customer, BOUGHT - timedelta(days=30), "40")
    buy(customer, BOUGHT, "40")
    a_base_of(3)
    night.run_due(clock=lambda: now)
    return customer


def test_the_list_names_the_day_of_the_last_purchase(browser_of_staff, known):
    (row,) = [
        row for row in browser_of_staff.get("/admin/customers/").context["rows"] if row.customer == known
    ]

    assert row.last_purchase_on == BOUGHT


def test_today_names_the_day_of_the_last_purchase(browser_of_staff, known):
    segment = SegmentFactory(key="at-risk")
    MembershipFactory(segment=segment, customer=known, entered_at=datetime.now(UTC))

    assert "last purchase Feb 20, 2026" in browser_of_staff.get("/admin/").content.decode()


def test_days_since_the_last_purchase_are_said_with_the_day_they_are_counted_to(browser_of_staff, known):
    page = browser_of_staff.get(f"/admin/customers/{known.pk}/value/").content.decode()

    assert "Days from the last purchase to Mar 1, 2026: 9." in page


@pytest.mark.parametrize(
    ("as_of", "said"),
    [(date(2026, 3, 1), "Revenue, Feb 2026<"), (date(2026, 2, 28), "Revenue, Feb 2026 so far<")],
)
def test_a_month_is_so_far_until_it_is_over(as_of, said, browser_of_staff, shop):
    months = [{"month": "2026-02", "revenue": "12", "purchases": 1}]
    publish(LtvRunFactory(as_of=as_of, figures={"months": months}))

    assert said in browser_of_staff.get("/admin/").content.decode()


# -- channels ------------------------------------------------------------------------------------------------


def test_customers_of_no_known_channel_are_a_row_and_the_rows_add_up(browser_of_staff, shop):
    CustomerLtvFactory(customer__channel=ChannelFactory(name="Search"))
    CustomerLtvFactory.create_batch(2, customer__channel=None, formula_ltv=Decimal("50"))
    ChannelFactory(name="Nobody yet")

    found = {one.name: (one.customers, one.buyers, one.formula_ltv) for one in reports.channels()}
    page = browser_of_staff.get("/admin/value/").content.decode()

    assert found == {"Search": (1, 1, 900), "Nobody yet": (0, 0, None), "": (2, 2, 50)}
    assert "No channel known" in page


def test_there_is_no_such_row_where_every_channel_is_known(shop):
    CustomerLtvFactory(customer__channel=ChannelFactory(name="Search"))

    assert [one.name for one in reports.channels()] == ["Search"]


@pytest.mark.parametrize(
    ("cac", "chip", "marked"), [("80", "good", False), ("200", "warm", True), ("400", "bad", False)]
)
def test_a_channel_is_good_if_three_to_one_holds_on_margin_too(cac, chip, marked, browser_of_staff, shop):
    channel = ChannelFactory(kind=ChannelKind.PAID)
    CustomerLtvFactory(customer__channel=channel, channel_cac=Decimal(cac))  # LTV 900, CLV 270

    page = browser_of_staff.get("/admin/value/").content.decode()

    assert f'mc-chip--{chip}">{900 / int(cac):.1f} : 1' in page
    assert ("not on margin" in page) is marked
