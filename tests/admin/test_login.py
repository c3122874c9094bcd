"""Signing in, being locked out, and the pages for what went wrong."""

import pytest
from django.test import Client, override_settings
from django.urls import path, reverse

from crm.urls import urlpatterns as every_url
from tests.factories import UserFactory

PASSWORD = "a-long-enough-password"


@pytest.fixture
def member(db):
    user = UserFactory(username="minsu")
    user.set_password(PASSWORD)
    user.save()
    return user


def sign_in(password: str, address: str = "10.0.0.1"):
    data = {"username": "minsu", "password": password}
    return Client(REMOTE_ADDR=address).post("/admin/login/?next=/admin/", data)


def test_the_right_password_leads_to_today(member):
    answer = sign_in(PASSWORD)

    assert (answer.status_code, answer["Location"]) == (302, "/admin/")


def test_five_failures_lock_the_pair_of_user_and_address_only(member):
    failures = [sign_in("wrong").status_code for _place in range(5)]

    locked, elsewhere = sign_in(PASSWORD), sign_in(PASSWORD, address="10.0.0.2")

    assert failures == [200] * 4 + [429]
    assert locked.status_code == 429
    assert "Too many attempts" in locked.content.decode()
    assert elsewhere.status_code == 302


def test_a_stranger_hears_the_same_for_a_known_and_an_unknown_name(member):
    known = sign_in("wrong").context["form"].non_field_errors()
    unknown = Client().post("/admin/login/", {"username": "nobody", "password": "wrong"}).context["form"]

    assert known == unknown.non_field_errors()


def test_the_login_speaks_our_words_and_loads_our_mark(client, db):
    page = client.get("/admin/login/").content.decode()

    assert "Good to see you" in page
    assert "crm/wordmark.svg" in page


def test_a_page_that_is_not_there_says_so_without_data(client, db):
    answer = client.get("/nowhere/")

    assert answer.status_code == 404
    assert "Nothing here" in answer.content.decode()


def test_a_page_of_another_role_says_so(as_role, shop):
    answer = as_role("viewer").get(reverse("crm:settings"))

    assert answer.status_code == 403
    assert "Your role does not include this page" in answer.content.decode()


def test_a_form_without_its_token_is_refused_with_a_way_on(member):
    client = Client(enforce_csrf_checks=True)
    client.force_login(member)

    answer = client.post(reverse("crm:preferences"), {})

    assert answer.status_code == 403
    assert "The form was not accepted" in answer.content.decode()


def _breaks(request):
    raise RuntimeError("a secret of the code")


class _Broken:
    """The product's addresses and one that breaks."""

    urlpatterns = [path("breaks/", _breaks), path("api/v1/breaks/", _breaks), *every_url]
    from crm.urls import handler400, handler403, handler404, handler500


@override_settings(ROOT_URLCONF=_Broken)
def test_a_broken_page_shows_no_insides(db):
    answer = Client(raise_request_exception=False).get("/breaks/")

    assert answer.status_code == 500
    assert "Something broke on our side" in answer.content.decode()
    assert "a secret of the code" not in answer.content.decode()


@override_settings(ROOT_URLCONF=_Broken)
def test_a_program_is_told_of_what_broke_as_problem_json(db):
    answer = Client(raise_request_exception=False).get("/api/v1/breaks/")

    assert answer.status_code == 500
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "internal_error"
    assert "a secret of the code" not in answer.content.decode()


def test_a_host_that_is_not_ours_gets_the_page_for_bad_requests(client, db):
    answer = client.get("/admin/login/", headers={"host": "evil.example"})

    assert answer.status_code == 400
    assert "That request made no sense" in answer.content.decode()


def test_preferences_change_ones_own_language_and_zone(browser_of_staff, staff, shop):
    browser_of_staff.post(reverse("crm:preferences"), {"language": "ko", "time_zone": "Asia/Seoul"})

    staff.refresh_from_db()
    assert (staff.language, staff.time_zone) == ("ko", "Asia/Seoul")
    assert '<html lang="ko"' in browser_of_staff.get("/admin/").content.decode()


def choose(client: Client, language: str, page: str = "/admin/"):
    return client.post(reverse("crm:language"), {"language": language, "next": page})


def test_who_is_not_signed_in_chooses_a_language_and_the_browser_keeps_it(client, db):
    answer = choose(client, "ja", "/admin/login/?next=/admin/value/")

    page = client.get("/admin/login/").content.decode()
    assert (answer.status_code, answer["Location"]) == (302, "/admin/login/?next=/admin/value/")
    assert '<html lang="ja"' in page
    assert "ようこそ" in page
    assert [name in page for name in (">English<", ">한국어<", ">日本語<")] == [True, True, True]


def test_the_language_chosen_at_the_door_is_kept_for_who_had_none(member):
    browser = Client()
    choose(browser, "ko")

    browser.post("/admin/login/?next=/admin/", {"username": "minsu", "password": PASSWORD})

    member.refresh_from_db()
    assert member.language == "ko"


def test_the_language_chosen_at_the_door_does_not_replace_ones_own(member):
    browser = Client()
    member.language = "ja"
    member.save()
    choose(browser, "ko")

    browser.post("/admin/login/?next=/admin/", {"username": "minsu", "password": PASSWORD})

    member.refresh_from_db()
    assert member.language == "ja"


def test_the_menu_changes_ones_own_language_on_every_machine(browser_of_staff, staff, shop):
    staff.time_zone = "Asia/Tokyo"
    staff.save()

    answer = choose(browser_of_staff, "ja", "/admin/customers/")

    staff.refresh_from_db()
    assert (answer["Location"], staff.language, staff.time_zone) == ("/admin/customers/", "ja", "Asia/Tokyo")


@pytest.mark.parametrize("language", ["", "tlh", "ja-JP"])
def test_a_language_we_have_not_changes_nothing(browser_of_staff, staff, language):
    answer = choose(browser_of_staff, language)

    staff.refresh_from_db()
    assert (answer.status_code, staff.language) == (302, "")
    assert "django_language" not in answer.cookies


def test_choosing_a_language_leads_nowhere_else_and_only_by_a_button(client, db):
    assert choose(client, "ko", "https://evil.example/")["Location"] == "/admin/"
    assert client.get(reverse("crm:language"), {"language": "ko"}).status_code == 405
