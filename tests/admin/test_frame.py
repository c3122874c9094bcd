"""The admin's frame is drawn once for each kind of reader and place, and still is each reader's own."""

import re

from django.test import Client
from django.urls import reverse

from tests.factories import CustomerFactory, UserFactory

SETTINGS = 'href="/admin/settings/"'


def test_each_role_sees_the_places_of_its_own(as_role, shop):
    owner, viewer = as_role("owner"), as_role("viewer")

    shown = [
        SETTINGS in reader.get("/admin/customers/").content.decode() for reader in (owner, viewer, owner)
    ]

    assert shown == [True, False, True]


def test_each_reader_sees_their_own_name(client, shop):
    for name in ("Mina", "Aoi", "Mina"):
        client.force_login(UserFactory(first_name=name, last_name="", is_superuser=True))
        page = client.get("/admin/customers/").content.decode()

        assert [one for one in ("Mina", "Aoi") if one in page] == [name]


def test_a_permission_taken_away_is_gone_from_the_next_page(as_role, shop, django_user_model):
    owner = as_role("owner")
    before = owner.get("/admin/customers/").content.decode()

    django_user_model.objects.get(username="the-owner").groups.clear()

    assert SETTINGS in before
    assert owner.get("/admin/customers/").status_code == 403


def test_the_frame_is_drawn_once_and_its_title_is_each_pages(browser_of_staff, shop):
    hostile, plain = CustomerFactory(name="<i>kim"), CustomerFactory(name="lee")
    pages = [
        browser_of_staff.get(reverse("crm:customer", args=[one.pk])).content.decode()
        for one in (hostile, plain)
    ]

    assert [re.search(r"<title>\s*(.*?) \|", page).group(1) for page in pages] == ["&lt;i&gt;kim", "lee"]
    assert "<i>kim" not in pages[0]
    assert "kim" not in pages[1]
    assert ">Lee<" in re.sub(r"\s", "", pages[1])


def test_messages_are_shown_once(browser_of_staff, shop):
    customer = CustomerFactory()
    log = {"kind": "note", "direction": "outbound", "outcome": "none", "note": "Hello"}

    first = browser_of_staff.post(reverse("crm:customer_log", args=[customer.pk]), log, follow=True)
    second = browser_of_staff.get(reverse("crm:customer", args=[customer.pk]))

    assert "Saved." in first.content.decode()
    assert "Saved." not in second.content.decode()


def test_a_form_of_a_page_can_be_sent(staff, shop):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(staff)
    customer = CustomerFactory()
    page = strict.get(reverse("crm:customer", args=[customer.pk])).content.decode()
    tokens = set(re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page))
    log = {"kind": "note", "direction": "outbound", "outcome": "none", "note": "Hello"}

    sent = [
        strict.post(
            reverse("crm:customer_log", args=[customer.pk]), {**log, "csrfmiddlewaretoken": token}
        ).status_code
        for token in (*tokens, "wrong")
    ]

    assert sent == [302] * len(tokens) + [403]
    assert tokens


def test_a_language_chosen_leads_back_to_the_page_it_was_chosen_on(browser_of_staff, shop):
    one, other = CustomerFactory(), CustomerFactory()

    back = [
        re.search(r'name="next" value="(.*?)"', browser_of_staff.get(place).content.decode()).group(1)
        for place in (reverse("crm:customer", args=[one.pk]), reverse("crm:customer", args=[other.pk]))
    ]

    assert back == [reverse("crm:customer", args=[one.pk]), reverse("crm:customer", args=[other.pk])]
