"""The answer page's links, headers and limits: what strangers and their machines may do to it."""

import re

import pytest
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client, RequestFactory

from crm.common import tokens
from crm.common.public import public_page
from feedback.choices import SurveyStatus
from feedback.core.words import LANGUAGES
from feedback.models import Response
from feedback.services import surveys
from feedback.services.invitations import answer_path, answer_url
from tests.factories import CustomerFactory, InvitationFactory, UserFactory

pytestmark = pytest.mark.usefixtures("at")


def text_of(answer) -> str:
    return answer.content.decode()


# -- links that do not open ------------------------------------------------------------------------------------


def damaged(token: str) -> list[str]:
    return [
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        "9" + token,
        token.upper() if token.upper() != token else token.lower(),
        token + token,
        token[: len(token) // 2],
        "1",
        "x~y~z",
        "\u0000",
        "한글",
        "%2541",
        tokens.sign("unsubscribe", 1),
        "a" * 3000,
    ]


def test_a_forged_link_is_404_before_any_query(invitation, an_address, django_assert_num_queries):
    token = tokens.sign("survey", invitation.pk)

    with django_assert_num_queries(0):
        for bad in damaged(token):
            for tail in ("", "thanks/"):
                browser = Client(REMOTE_ADDR=an_address())
                answer = browser.get(f"/s/{bad}/{tail}", headers={"Accept-Language": "ko"})
                assert answer.status_code == 404, bad
                assert LANGUAGES["ko"]["unknown_title"] in text_of(answer)


def test_every_flipped_bit_of_a_token_is_refused(invitation, django_assert_num_queries):
    token = tokens.sign("survey", invitation.pk)

    accepted = []
    for position in range(len(token)):
        for bit in range(7):
            flipped = token[:position] + chr(ord(token[position]) ^ (1 << bit)) + token[position + 1 :]
            try:
                tokens.read("survey", flipped)
                accepted.append(flipped)
            except tokens.BadToken:
                continue

    # "~" and ":" are the same sign to us, and mail programs append these to a link: the token itself is whole
    assert [flipped for flipped in accepted if flipped.rstrip("=.>,;)").replace(":", "~") != token] == []


@pytest.mark.parametrize("tail", [".", "=", ">", ",", ")."])
def test_punctuation_a_mail_program_appended_does_no_harm(visitor, invitation, tail):
    path = f"/s/{tokens.sign('survey', invitation.pk)}{tail}/"

    assert visitor.get(path).status_code == 200


def test_an_expired_invitation_is_gone(visitor, invitation, questions, at):
    path = answer_path(invitation)
    at(days=60)

    for answer in (visitor.get(path), visitor.post(path, {f"q{questions['nps']}": "9"})):
        assert answer.status_code == 410
        assert LANGUAGES["en"]["expired_title"] in text_of(answer)
    assert not Response.objects.exists()


def test_an_erased_customers_link_is_gone(visitor, invitation):
    path = answer_path(invitation)
    invitation.customer.delete()

    assert visitor.get(path).status_code == 410
    assert visitor.post(path, {"q1": "9"}).status_code == 410
    assert visitor.get(path + "thanks/").status_code == 410


def test_a_closed_survey_is_gone(visitor, invitation):
    surveys.close_survey(survey=invitation.survey)

    assert invitation.survey.status == SurveyStatus.CLOSED
    assert visitor.get(answer_path(invitation)).status_code == 410


# -- headers, limits, cost -------------------------------------------------------------------------------------


def test_public_pages_carry_strict_headers(visitor, invitation, questions):
    path = answer_path(invitation)
    pages = [
        visitor.get(path),
        visitor.get("/s/forged/"),
        visitor.post(path, {}),
        visitor.post(path, {f"q{questions['nps']}": "9"}),
        visitor.get(path + "thanks/"),
    ]

    for page in pages:
        policy = page.headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert "script-src" not in policy
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["X-Robots-Tag"] == "noindex, nofollow"
        assert page.headers["X-Frame-Options"] == "DENY"
        # nothing from another site, and nothing in the page itself that the policy would have to allow
        assert not re.search(r'(src|href)="(https?:)?//|\sstyle="|\son\w+="', text_of(page))


def test_the_61st_request_within_a_minute_is_refused_and_the_next_minute_opens_again(visitor, shop):
    codes = [visitor.get("/s/forged/").status_code for _ in range(61)]

    assert codes == [404] * 60 + [429]
    refused = visitor.get("/s/forged/")
    assert refused.headers["Retry-After"] == "60"
    assert refused.headers["Cache-Control"] == "no-store"
    cache.delete(f"public-page:{visitor.defaults['REMOTE_ADDR']}")
    assert visitor.get("/s/forged/").status_code == 404


def test_behind_a_proxy_the_visitors_own_address_is_counted(settings, an_address):
    settings.AXES_IPWARE_PROXY_COUNT = 1
    one, other = an_address(), an_address()
    page = public_page(per_minute=1)(lambda _request: HttpResponse("in"))
    request = RequestFactory()

    def ask(forwarded: str) -> int:
        return page(request.get("/", headers={"X-Forwarded-For": forwarded})).status_code

    # only the last part comes from the proxy; what the visitor claims before it counts for nothing
    assert [ask(f"10.0.0.{n}, {one}") for n in range(3)] == [200, 429, 429]
    assert ask(other) == 200


def test_a_page_costs_four_queries_and_sending_ten(
    visitor, invitation, questions, django_assert_max_num_queries
):
    path = answer_path(invitation)

    with django_assert_max_num_queries(4):
        visitor.get(path)
    with django_assert_max_num_queries(10):
        visitor.post(path, {f"q{pk}": "1" for kind, pk in questions.items() if kind != "choice"})
    with django_assert_max_num_queries(4):
        visitor.get(path)
    with django_assert_max_num_queries(2):
        visitor.get(path + "thanks/")


def test_staff_signed_in_see_the_customers_language(client, survey, now):
    client.force_login(UserFactory(language="en"))
    invitation = InvitationFactory(survey=survey, customer=CustomerFactory(language="ko"), invited_at=now)

    assert LANGUAGES["ko"]["send"] in text_of(client.get(answer_path(invitation)))


def test_links_in_mails_use_the_configured_address_not_a_requests(settings, invitation):
    settings.SITE_URL = "https://crm.example"

    assert answer_url(invitation).startswith("https://crm.example/s/")
