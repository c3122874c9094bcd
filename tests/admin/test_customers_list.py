"""The list of customers: nobody missing, nobody twice, found by two letters, safe against odd addresses."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from crm.pages import paging
from crm.templatetags.crm import day as written
from tests.factories import (
    ChannelFactory,
    ConsentFactory,
    CustomerFactory,
    CustomerLtvFactory,
    LtvRunFactory,
    MembershipFactory,
    SegmentFactory,
    publish,
)

LIST = "/admin/customers/"


def names(answer) -> list[str]:
    return [row.customer.name for row in answer.context["rows"]]


def through(client, url: str) -> list[int]:
    """Every customer met by following Next from ``url``."""
    met: list[int] = []
    while url:
        answer = client.get(url)
        met += [row.customer.pk for row in answer.context["rows"]]
        url = LIST + answer.context["pages"].next if answer.context["pages"].next else ""
    return met


@pytest.fixture
def valued(shop):
    """120 customers, many worth the same, so that ties cross pages."""
    publish(LtvRunFactory(customers=120))
    return [
        CustomerLtvFactory(clv=Decimal(n // 40), p_no_purchase=(n % 3) / 3, recency_days=n % 5).customer
        for n in range(120)
    ]


@pytest.mark.parametrize("sort", ["value", "risk", "last", "next", "newest"])
def test_next_leads_through_every_customer_once(sort, browser_of_staff, valued):
    met = through(browser_of_staff, f"{LIST}?sort={sort}")

    assert sorted(met) == sorted(customer.pk for customer in valued)


def test_the_most_valuable_come_first(browser_of_staff, shop):
    for worth in (10, 300, 200):
        CustomerLtvFactory(customer=CustomerFactory(name=f"worth {worth}"), clv=Decimal(worth))

    assert names(browser_of_staff.get(LIST)) == ["worth 300", "worth 200", "worth 10"]


def test_a_customer_newer_than_the_figures_is_announced_and_found(browser_of_staff, shop):
    CustomerLtvFactory(customer=CustomerFactory(name="old"))
    CustomerFactory(name="fresh", acquired_at=datetime(2026, 3, 2, tzinfo=UTC))

    first = browser_of_staff.get(LIST)
    newest = browser_of_staff.get(f"{LIST}?sort=newest")
    found = browser_of_staff.get(f"{LIST}?q=fresh")

    assert (names(first), first.context["newcomers"]) == (["old"], 1)
    assert names(newest) == ["fresh", "old"]
    assert names(found) == ["fresh"]


def test_before_the_first_night_the_newest_come_first(browser_of_staff, shop):
    for days in range(3):
        CustomerFactory(
            name=f"day {days}", acquired_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=days)
        )

    assert names(browser_of_staff.get(LIST)) == ["day 2", "day 1", "day 0"]


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("민수", "김민수"),
        ("김민", "김민수"),
        ("SATO", "Sato Ken"),
        ("ken@mail", "Sato Ken"),
        ("N-77", "김민수"),
    ],
)
def test_two_letters_of_a_name_an_address_or_the_number_find_a_customer(text, who, browser_of_staff, shop):
    CustomerFactory(name="김민수", external_id="N-77", email="minsu@mail.example")
    CustomerFactory(name="Sato Ken", email="ken@mail.example")
    CustomerFactory(name="Nobody else")

    assert names(browser_of_staff.get(LIST, {"q": text})) == [who]


def test_a_search_is_paged_and_says_when_it_finds_too_many(browser_of_staff, shop, monkeypatch):
    for _place in range(60):
        CustomerFactory(name="Kim")
    monkeypatch.setattr("crm.pages.customers.MATCHES", 55)

    first = browser_of_staff.get(LIST, {"q": "kim"})
    second = browser_of_staff.get(LIST + first.context["pages"].next)

    assert (len(names(first)), len(names(second))) == (50, 5)
    assert "More than 55 match" in first.content.decode()


def test_filters_narrow_together(browser_of_staff, shop):
    segment, channel = SegmentFactory(key="vip"), ChannelFactory(code="ads")
    wanted = CustomerFactory(name="wanted", country="KR", language="ko", channel=channel)
    MembershipFactory(segment=segment, customer=wanted)
    ConsentFactory(customer=wanted)
    for change in ({"country": "JP"}, {"language": "ja"}, {"channel": None}):
        other = CustomerFactory(**{"country": "KR", "language": "ko", "channel": channel, **change})
        MembershipFactory(segment=segment, customer=other)
        ConsentFactory(customer=other)
    asked = {"segment": "vip", "channel": "ads", "country": "KR", "language": "ko", "consent": "marketing"}

    assert names(browser_of_staff.get(LIST, asked)) == ["wanted"]


def test_who_gave_no_consent_can_be_listed(browser_of_staff, shop):
    CustomerFactory(name="silent")
    ConsentFactory(customer=CustomerFactory(name="agreed"))

    assert names(browser_of_staff.get(LIST, {"consent": "none"})) == ["silent"]


@pytest.mark.parametrize("sort", ["value", "risk", "last", "next", "newest"])
@pytest.mark.parametrize(
    "after",
    ["x", "1", "1 ", " 1", "NaN 1", "1e999999 1", "9e99 1", "2026-13-01 1", "1 99999999999999999999", "\x00 1", "١ 1",
     "99999999999999999999999999 1", "2026-01-01T00:00:00 1"],
)  # fmt: skip
def test_an_address_changed_by_hand_shows_a_page(sort, after, browser_of_staff, shop):
    CustomerLtvFactory()

    answer = browser_of_staff.get(
        LIST, {"sort": sort, "after": after, "from": "-3", "segment": "\x00", "country": "K%"}
    )

    assert answer.status_code == 200


def test_odd_searches_show_a_page(browser_of_staff, shop):
    CustomerFactory()

    answers = [
        browser_of_staff.get(LIST, {"q": text}).status_code
        for text in ("\x00", "%", "_", "'", "a" * 5000, "😀")
    ]

    assert set(answers) == {200}


def test_counting_stops_just_above_the_cap(shop, monkeypatch):
    monkeypatch.setattr(paging, "CAP", 3)
    from customers.models import Customer

    for _place in range(9):
        CustomerFactory()

    assert paging.capped_count(Customer.objects.all()) == 4


def test_the_timeline_is_paged_and_filtered(browser_of_staff, shop):
    from tests.factories import InteractionFactory

    customer = CustomerFactory()
    for day in range(1, 29):
        InteractionFactory(
            customer=customer, occurred_at=datetime(2026, 1, day, tzinfo=UTC), note=f"note {day}"
        )
        ConsentFactory(
            customer=customer,
            stated_at=datetime(2026, 1, day, tzinfo=UTC),
            superseded_at=datetime(2026, 2, 1, tzinfo=UTC),
        )
    url = reverse("crm:customer", args=[customer.pk])

    first = browser_of_staff.get(url, {"kind": "interaction"}).context["events"]
    page = browser_of_staff.get(url).context
    second = browser_of_staff.get(url + page["older"]).context["events"]

    assert {event.kind for event in first} == {"interaction"}
    keys = [event.key for event in page["events"]] + [event.key for event in second]
    assert len(keys) == len(set(keys)) == 56


def test_a_day_years_ahead_is_not_named(browser_of_staff, shop):
    run = publish(LtvRunFactory(customers=2))
    CustomerLtvFactory(run=run, next_purchase_on=run.as_of + timedelta(days=2000), p_no_purchase=0.9999)
    soon = CustomerLtvFactory(run=run, next_purchase_on=run.as_of + timedelta(days=700))

    page = browser_of_staff.get(LIST).content.decode()

    assert page.count("in over 2 years") == 1
    assert written(soon.next_purchase_on) in page
    assert str((run.as_of + timedelta(days=2000)).year) not in page
    assert "&gt; 99%" in page
