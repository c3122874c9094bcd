"""What customers write is text everywhere, mails run nothing, and facts cannot be edited through the admin."""

import re

import pytest
from django.contrib import admin
from django.urls import reverse

from crm.pages.mail_frame import mail_document, read
from customers.models import Purchase
from tests.admin.world import ADMIN_LISTS, PAGES, build
from tests.factories import (
    CampaignFactory,
    CustomerFactory,
    ExchangeRateFactory,
    InteractionFactory,
    MessageFactory,
    PurchaseFactory,
    RefundFactory,
)

PAYLOAD = "<img src=x onerror=alert(1)>'\"</script><script>alert(2)</script>{{ 7|add:7 }}"


def test_a_payload_in_names_and_words_is_inert_on_every_page(browser_of_staff, shop, staff):
    world = build(1, staff=staff, name=PAYLOAD)
    addresses = {name: world.url(name) for name in PAGES} | {
        name: reverse(f"admin:{name}_changelist") for name in ADMIN_LISTS
    }
    addresses["today"] = "/admin/"

    live = [name for name, url in addresses.items() if b"<img src=x" in browser_of_staff.get(url).content]
    run = [
        name for name, url in addresses.items() if b"<script>alert(2)" in browser_of_staff.get(url).content
    ]

    assert (live, run) == ([], [])


def test_the_payload_is_seen_as_text_by_staff(browser_of_staff, shop, staff):
    world = build(1, staff=staff, name=PAYLOAD)

    page = browser_of_staff.get(world.url("customer")).content.decode()

    assert "&lt;img src=x onerror=alert(1)&gt;" in page


def test_the_search_palette_escapes_what_it_finds(browser_of_staff, shop):
    CustomerFactory(name=PAYLOAD)

    page = browser_of_staff.get("/admin/search/", {"s": "img src", "extended": "1"}).content.decode()

    assert "<img src=x" not in page
    assert "&lt;img src=x" in page


def test_a_mail_is_framed_without_scripts_and_without_the_outside(browser_of_staff, world):
    page = browser_of_staff.get(world.url("mail")).content.decode()

    assert '<iframe class="mc-mail" sandbox="" srcdoc="' in page
    assert "<script>alert(1)</script>" not in page
    assert "default-src &#x27;none&#x27;" in page


def test_a_mail_is_read_with_headers_and_both_parts():
    raw = (
        b"Subject: =?utf-8?b?7JWI64WV?=\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=x\r\n\r\n"
        b"--x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nplain words\r\n"
        b"--x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>rich words</p>\r\n--x--\r\n"
    )

    found = read(raw)

    assert dict(found.headers)["Subject"] == "안녕"
    assert (found.text.strip(), found.html.strip()) == ("plain words", "<p>rich words</p>")


@pytest.mark.parametrize(
    "raw", [b"", b"\xff\xfe", b"Content-Type: text/plain; charset=klingon\r\n\r\n\xff\xfe words"]
)
def test_a_mail_that_is_none_is_still_shown(raw):
    found = read(raw)

    assert isinstance(found.text, str)


def test_our_policy_stands_before_the_mails_own_markup():
    document = mail_document("<head><meta http-equiv=refresh content=0></head>")

    assert document.index("Content-Security-Policy") < document.index("refresh")


FACTS = {
    "customers_purchase": lambda: PurchaseFactory().pk,
    "customers_refund": lambda: RefundFactory().pk,
    "customers_interaction": lambda: InteractionFactory().pk,
    "campaigns_message": lambda: MessageFactory().pk,
}


@pytest.mark.parametrize("name", FACTS)
def test_facts_are_shown_but_neither_changed_nor_added_nor_deleted(name, browser_of_staff, shop):
    pk = FACTS[name]()

    shown = browser_of_staff.get(reverse(f"admin:{name}_change", args=[pk]))
    answers = [
        browser_of_staff.post(reverse(f"admin:{name}_change", args=[pk]), {"amount": "1"}).status_code,
        browser_of_staff.get(reverse(f"admin:{name}_add")).status_code,
        browser_of_staff.post(reverse(f"admin:{name}_delete", args=[pk]), {"post": "yes"}).status_code,
    ]

    assert shown.status_code == 200
    assert answers == [403, 403, 403]


def test_nothing_of_the_admin_can_be_deleted_in_bulk(browser_of_staff, shop):
    purchase = PurchaseFactory()

    for model_admin in admin.site._registry.values():
        url = reverse(
            f"admin:{model_admin.model._meta.app_label}_{model_admin.model._meta.model_name}_changelist"
        )
        browser_of_staff.post(
            url, {"action": "delete_selected", "_selected_action": [purchase.pk], "post": "yes"}
        )

    assert Purchase.objects.filter(pk=purchase.pk).exists()


def test_an_offer_in_a_launched_campaign_stays_as_it_was_promised(browser_of_staff, shop):
    promised, free = CampaignFactory(status="running").offer, CampaignFactory().offer

    answers = [
        browser_of_staff.get(reverse("admin:campaigns_offer_change", args=[offer.pk])).context[
            "has_change_permission"
        ]
        for offer in (promised, free)
    ]

    assert answers == [False, True]


def test_spend_entered_twice_corrects_itself_and_refusals_are_words(browser_of_staff, shop):
    from customers.models import MarketingSpend
    from tests.factories import ChannelFactory

    channel, url = ChannelFactory(), reverse("admin:customers_marketingspend_add")
    ExchangeRateFactory()
    said = {"channel": channel.pk, "month": "2026-01-01", "amount": "100", "currency": "USD"}

    browser_of_staff.post(url, said)
    refused = browser_of_staff.post(url, {**said, "month": "2026-02-01", "currency": "ZZZ"}, follow=True)

    assert [spend.amount for spend in MarketingSpend.objects.all()] == [100]
    assert "currency code" in refused.content.decode()


def test_every_page_carries_the_content_policy(browser_of_staff, world):
    policies = {
        browser_of_staff.get(world.url(name))["Content-Security-Policy"] for name in ("customer", "mail")
    }

    assert len(policies) == 1
    assert "default-src 'none'" in policies.pop()


def test_somebody_entered_in_the_admin_works_here_and_sees_no_superuser(as_role, staff, shop):
    from crm.common.models import User

    owner = as_role("owner")
    said = {"username": "sora", "password1": "a-long-enough-word", "password2": "a-long-enough-word"}

    owner.post(reverse("admin:common_user_add"), {**said, "usable_password": "true"})
    superuser = owner.get(reverse("admin:common_user_change", args=[staff.pk]))

    assert User.objects.get(username="sora").is_staff
    assert superuser.status_code == 302  # not found, says the admin, and leads back


@pytest.mark.parametrize(
    ("address", "open_item"),
    [
        ("/admin/customers/", "Customers"),
        ("/admin/customers/purchase/", "Records"),
        ("/admin/common/user/", "Settings"),
        ("/admin/campaigns/offer/", "Offers and coupons"),
        ("/admin/settings/rates/", "Settings"),
        ("/admin/", "Today"),
    ],
)
def test_the_sidebar_marks_the_one_place_where_one_is(address, open_item, browser_of_staff, shop):
    page = browser_of_staff.get(address).content.decode()

    assert re.findall(r' active">\s*<span[^>]*>[^<]*</span><span>([^<]*)</span>', page) == [open_item]
