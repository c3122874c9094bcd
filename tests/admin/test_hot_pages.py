"""What is drawn once and shown often is still in the reader's language, and still shows what was typed."""

from decimal import Decimal

from django.urls import reverse

from customers.choices import Purpose
from tests.factories import (
    ConsentFactory,
    CustomerFactory,
    CustomerLtvFactory,
    MembershipFactory,
    SegmentFactory,
)

HOSTILE = '<b onclick="x">\'&'
WRITTEN = "&lt;b onclick=&quot;x&quot;&gt;&#x27;&amp;"


def test_the_list_is_written_in_each_readers_language(browser_of_staff, shop, staff):
    CustomerFactory(country="KR")

    read = []
    for language in ("en", "ko", "ja", "en"):
        type(staff).objects.filter(pk=staff.pk).update(language=language)
        html = browser_of_staff.get(reverse("crm:customers")).content.decode()
        body = html.partition("<tbody>")[2].partition("</tbody>")[0]
        read.append([name for name in ("South Korea", "대한민국", "韓国") if name in body])

    assert read == [["South Korea"], ["대한민국"], ["韓国"], ["South Korea"]]


def test_a_refused_log_does_not_stay_for_the_next_reader(browser_of_staff, shop):
    customer = CustomerFactory()

    refused = browser_of_staff.post(
        reverse("crm:customer_log", args=[customer.pk]),
        {
            "kind": "call",
            "direction": "outbound",
            "outcome": "none",
            "note": "",
            "next_step": "Send the leaflet",
        },
    )
    after = browser_of_staff.get(reverse("crm:customer", args=[customer.pk]))

    assert refused.status_code == 422
    assert "Send the leaflet" in refused.content.decode()
    assert "Send the leaflet" not in after.content.decode()


def test_a_row_shows_everything_and_runs_nothing(browser_of_staff, shop):
    customer = CustomerFactory(name=HOSTILE, country="KR", language="ko")
    CustomerLtvFactory(customer=customer, clv=Decimal("1234.50"), p_no_purchase=0.8)
    ConsentFactory(customer=customer, purpose=Purpose.SURVEY)
    for n in range(3):
        MembershipFactory(customer=customer, segment=SegmentFactory(name=f"{n} {HOSTILE}"))

    html = browser_of_staff.get(reverse("crm:customers")).content.decode()

    assert HOSTILE not in html
    row = html.partition("<tbody>")[2].partition("</tbody>")[0]
    address = reverse("crm:customer", args=[customer.pk])
    assert f'<a class="mc-person__name" href="{address}">{WRITTEN}</a>' in row
    assert f">0 {WRITTEN}</a>" in row
    assert '<span class="mc-chip">+1</span>' in row
    assert "$1,234.50" in row
    assert '<span class="mc-chip mc-chip--bad">80%</span>' in row
    assert 'title="Surveys by e-mail">surveys</span>' in row
    assert "offers" not in row
    assert "South Korea" in row
