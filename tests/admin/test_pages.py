"""Every page, every role: who may sees it, who may not gets 403, strangers get the login. Nothing is missing."""

import pytest
from django.contrib import admin
from django.urls import reverse

from crm.common.models import Shop
from crm.pages.urls import urlpatterns
from tests.admin.world import ADMIN_LISTS, ARGUMENTS, BUTTONS, EVERYBODY, PAGES


def test_every_page_and_button_says_who_may_use_it():
    assert {pattern.name for pattern in urlpatterns} == set(PAGES) | set(BUTTONS)


def test_every_list_of_the_admin_says_who_may_open_it():
    registered = {f"{m._meta.app_label}_{m._meta.model_name}" for m in admin.site._registry}

    assert registered - {"common_shop"} == set(ADMIN_LISTS)


@pytest.mark.parametrize("role", EVERYBODY)
def test_a_role_opens_its_pages_and_no_others(role, as_role, world):
    client = as_role(role)

    answers = {name: client.get(world.url(name)).status_code for name in PAGES}

    assert answers == {name: 200 if role in roles else 403 for name, roles in PAGES.items()}


@pytest.mark.parametrize("role", EVERYBODY)
def test_a_role_presses_its_buttons_and_no_others(role, as_role, world):
    client = as_role(role)

    answers = {name: client.post(world.url(name)).status_code for name in BUTTONS}

    refused = {name for name, status in answers.items() if status == 403}
    assert refused == {name for name, roles in BUTTONS.items() if role not in roles}
    assert set(answers.values()) <= {302, 403, 404, 422}


@pytest.mark.parametrize("role", EVERYBODY)
def test_a_role_opens_its_lists_of_the_admin_and_no_others(role, as_role, world):
    client = as_role(role)

    answers = {name: client.get(reverse(f"admin:{name}_changelist")).status_code for name in ADMIN_LISTS}

    assert answers == {name: 200 if role in roles else 403 for name, roles in ADMIN_LISTS.items()}


def test_today_opens_for_every_role_and_for_staff_without_one(as_role, world, client):
    answers = [as_role(role).get("/admin/").status_code for role in EVERYBODY]

    assert answers == [200] * 4


def test_strangers_are_sent_to_the_login(client, world):
    answers = {name: client.get(world.url(name)) for name in PAGES}

    assert {answer.status_code for answer in answers.values()} == {302}
    assert all(answer["Location"].startswith("/admin/login/") for answer in answers.values())


def test_buttons_do_nothing_when_opened_as_a_link(browser_of_staff, world):
    shown = {"customer_log", "coupon_redeem"}  # a reload after an error lands here: back to the page

    answers = {name: browser_of_staff.get(world.url(name)).status_code for name in BUTTONS}

    assert answers == {name: 302 if name in shown else 405 for name in BUTTONS}


def test_pages_stand_empty_in_a_new_shop(browser_of_staff, shop):
    lists = [name for name in PAGES if name.endswith("s") and name not in ARGUMENTS]

    answers = {name: browser_of_staff.get(reverse(f"crm:{name}")).status_code for name in lists}

    assert set(answers.values()) == {200}
    assert browser_of_staff.get("/admin/").status_code == 200
    assert browser_of_staff.get(reverse("crm:value")).status_code == 200


def test_the_front_door_leads_to_today(client):
    assert client.get("/")["Location"] == "/admin/"


def test_the_shop_is_one_form_without_a_list(browser_of_staff, shop):
    answer = browser_of_staff.get(reverse("admin:common_shop_changelist"), follow=True)

    assert answer.redirect_chain == [("/admin/common/shop/True/change/", 302)]
    assert answer.context["original"] == Shop.current()


def test_pages_of_staff_are_never_stored(browser_of_staff, world):
    for name in ("customers", "customer", "campaign"):
        assert "no-store" in browser_of_staff.get(world.url(name))["Cache-Control"]


def test_a_customers_story_leads_to_the_campaign_the_answer_and_the_segment(browser_of_staff, world):
    page = browser_of_staff.get(world.url("customer")).content.decode()
    story = page[page.index('class="mc-timeline"') :]

    for name in ("campaign", "survey", "case"):
        assert f'href="{world.url(name)}"' in story, name
