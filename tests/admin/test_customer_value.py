"""A customer's value on the screen: with today's purchases in it, why it changed, and as any kept night saw it."""

from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from rest_framework.test import APIClient

from crm.templatetags.crm import day, money
from ltv import reports
from ltv.models import CurrentRun, CustomerLtv, CustomerOutlook
from ltv.services import night
from tests.factories import CustomerFactory, PurchaseFactory
from tests.ltv.test_night import a_base_of

pytestmark = pytest.mark.django_db
NOW = datetime.now(ZoneInfo("Asia/Seoul")).replace(hour=12)  # of the day the pages take for today
TODAY = NOW.date()


def run_night(days: int = 0):
    night.run_due(clock=lambda: NOW + timedelta(days=days))
    return CurrentRun.objects.get().run


def buy(customer, days_ago: int, amount: str = "50"):
    return PurchaseFactory(
        customer=customer, purchased_at=NOW - timedelta(days=days_ago, hours=2), amount=Decimal(amount)
    )


@pytest.fixture
def regular(shop):
    """Who bought every two weeks, in a shop with others."""
    customer = CustomerFactory(name="Han Jiwoo")
    for n in range(8):
        buy(customer, 3 + 14 * n)
    a_base_of(30)
    return customer


def read(browser, name: str, customer, **asked) -> str:
    answer = browser.get(reverse(f"crm:{name}", args=[customer.pk]), asked)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_purchase_recorded_now_is_on_the_page_and_in_the_api_at_once(browser_of_staff, staff, regular):
    run_night()
    before = CustomerLtv.objects.get(customer=regular)
    assert "updated today" not in read(browser_of_staff, "customer", regular)
    buy(regular, 0, "700")

    html = read(browser_of_staff, "customer", regular)
    client = APIClient()
    client.force_authenticate(staff)
    told = client.get(f"/api/v1/customers/{regular.public_id}/ltv/").json()

    assert "updated today" in html
    assert money(before.revenue + 700, "USD") in html
    assert money(before.clv, "USD") not in html
    assert Decimal(told["revenue"]) == before.revenue + 700
    assert Decimal(told["clv"]) > before.clv
    assert told["updated_on"] == str(TODAY)
    assert CustomerLtv.objects.get(customer=regular).clv == before.clv


def test_the_card_asks_twice_more_for_today_and_for_the_change(browser_of_staff, regular):
    run_night()
    read(browser_of_staff, "customer", regular)

    with CaptureQueriesContext(connection) as asked:
        read(browser_of_staff, "customer", regular)

    about = [
        query["sql"] for query in asked if "ltv_current" in query["sql"] or "ltv_summary" in query["sql"]
    ]
    assert len(about) == 3  # figures, outlook, whether purchases changed


def test_the_first_night_says_that_there_is_nothing_to_compare_with(browser_of_staff, regular):
    run_night()

    html = read(browser_of_staff, "customer_value", regular)

    assert "Nothing to compare with yet" in html
    assert "3 years" in html
    assert "Half of the customers like this one" in html


def test_a_second_run_of_the_day_says_in_words_that_nothing_changed(browser_of_staff, staff, regular):
    run_night()
    night.request_recalculation(by=staff, now=NOW)
    run_night()

    html = read(browser_of_staff, "customer_value", regular)

    worth = CustomerLtv.objects.get(customer=regular).clv
    assert f"The margin is {money(worth, 'USD')}, as in the run before." in html


def test_every_reason_is_said_with_its_sign_also_without_colours(browser_of_staff, regular):
    run_night(-1)
    run_night()
    row = CustomerOutlook.objects.get(customer=regular)
    assert row.change_time < 0

    html = read(browser_of_staff, "customer_value", regular)

    assert money(row.clv_before, "USD") in html
    assert f'class="mc-down">−{money(-row.change_time, "USD")}<' in html
    assert f">{money(-row.change_time, 'USD')} less<" in html
    assert "no change" in html  # no refund
    assert f"in the last night: time −{money(-row.change_time, 'USD')}" in read(
        browser_of_staff, "customer", regular
    )


def test_the_parts_of_the_change_lead_from_the_run_before_to_today(browser_of_staff, regular):
    run_night(-1)
    run_night()
    buy(regular, 0, "700")

    answer = browser_of_staff.get(reverse("crm:customer_value", args=[regular.pk]))

    why, card = answer.context["why"], answer.context["card"]
    assert [one.name for one in why.reasons] == [
        "time",
        "purchases",
        "refunds",
        "rates",
        "the model",
        "today",
    ]
    assert why.before + sum(one.amount for one in why.reasons) == why.now == card.figures.clv
    assert all(0 <= one.left <= one.left + one.width <= 1.0001 for one in why.reasons)


def test_the_rfm_cell_and_what_each_score_means(browser_of_staff, regular):
    run_night()
    row = CustomerLtv.objects.get(customer=regular)

    html = read(browser_of_staff, "customer_value", regular)

    assert f"RFM cell {row.r_score}-{row.f_score}-{row.m_score}" in html
    assert "Days with a purchase: 8." in html
    assert f"{row.clv_decile} of 10" in html


def test_a_kept_night_is_shown_as_it_was(browser_of_staff, regular):
    before, first, *later = (run_night(days) for days in (-6, -5, -4, -3, -2))  # more than stay attached
    seen = reports.value_card(regular.pk, as_of=first.as_of)
    buy(regular, 0, "700")

    answer = browser_of_staff.get(
        reverse("crm:customer_value", args=[regular.pk]), {"as_of": first.as_of.isoformat()}
    )
    html = answer.content.decode()

    line = answer.context["line"]
    assert (line["first"].as_of, line["last"].as_of) == (before.as_of, first.as_of)
    assert later[-1] == CurrentRun.objects.get().run
    assert seen.run == first
    assert seen.figures.clv != CustomerLtv.objects.get(customer=regular).clv
    assert money(seen.figures.expected_value, "USD") in html
    assert f"as the night of {day(first.as_of)} saw it" in html
    assert "Updated today" not in html


def test_the_history_has_a_point_for_every_kept_night(regular):
    runs = [run_night(days) for days in (-3, -2, -1)]

    kept = reports.kept_runs()
    history = reports.value_history(regular.pk, kept)

    assert [run.run_id for run in kept] == [run.pk for run in reversed(runs)]
    assert [point.as_of for point in history] == [run.as_of for run in runs]
    assert [point.clv_before for point in history] == [None, history[0].clv, history[1].clv]
    assert reports.value_history(CustomerFactory().pk, kept) == []


def test_a_day_between_two_nights_is_answered_by_the_earlier_one(regular):
    early, _late = run_night(-6), run_night(-2)

    assert reports.value_card(regular.pk, as_of=early.as_of + timedelta(days=2)).run == early
    assert reports.value_card(regular.pk, as_of=early.as_of - timedelta(days=1)) is None


def test_who_never_bought_and_who_is_not_known_yet(browser_of_staff, regular):
    visitor = CustomerFactory()
    first = run_night(-1)
    stranger = CustomerFactory()

    empty = read(browser_of_staff, "customer_value", visitor)
    assert "Has not bought yet" in empty
    assert "Why it changed" not in empty
    assert "No figures yet" in read(browser_of_staff, "customer_value", stranger)
    then = read(browser_of_staff, "customer_value", stranger, as_of=first.as_of.isoformat())
    assert "Not known then" in then


@pytest.mark.parametrize("asked", ["yesterday", "2026-02-31", "1999-01-01", "'; --"])
def test_a_night_that_is_not_kept_shows_now(browser_of_staff, regular, asked):
    html = read(browser_of_staff, "customer_value", regular, as_of=asked)

    assert "This is the past" not in html


def test_nothing_foreseen_is_certain_and_nothing_is_named_years_ahead(browser_of_staff, regular):
    run = run_night()
    far = run.as_of + timedelta(days=2000)
    CustomerLtv.objects.filter(customer=regular).update(
        p_no_purchase=0.001, p_alive=0.9999, next_purchase_on=far
    )

    card, detail = (read(browser_of_staff, name, regular) for name in ("customer", "customer_value"))

    for html in (card, detail):
        assert "&lt; 1% chance of no purchase" in html
        assert "Next purchase expected after more than two years." in html
        assert day(far) not in html
    assert "&gt; 99% chance of being a customer still" in detail
    assert "the ring the next one expected" not in card  # it would press all that was bought to the left


def test_the_reasons_stand_in_the_table_as_its_other_rows_do(browser_of_staff, regular):
    run_night(-1)
    run_night()

    html = read(browser_of_staff, "customer_value", regular)

    for name in ("Time", "Purchases", "Refunds", "Rates", "The model"):
        assert f'<strong class="mc-ink">{name}</strong>' in html
