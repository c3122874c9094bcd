import re

import pytest
from django.test import Client
from django.utils.html import escape

from feedback.core.words import LANGUAGES
from feedback.models import Answer, Invitation, Response
from feedback.services.invitations import answer_path
from tests.factories import CustomerFactory, InvitationFactory, QuestionFactory, SurveyFactory

pytestmark = pytest.mark.usefixtures("at")


def checked(page: str, name: str) -> list[str]:
    """The values of the radio inputs of one question that are preselected."""
    return re.findall(rf'name="{name}"\s+value="([^"]*)" checked', page)


def text_of(answer) -> str:
    return answer.content.decode()


def facts() -> tuple:
    return (
        list(Response.objects.order_by("pk").values()),
        list(Answer.objects.order_by("pk").values()),
        list(Invitation.objects.order_by("pk").values()),
    )


# -- showing ---------------------------------------------------------------------------------------------------


def test_the_page_asks_every_question_with_large_buttons_and_without_script(visitor, invitation, questions):
    answer = visitor.get(answer_path(invitation))

    page = text_of(answer)
    assert answer.status_code == 200
    assert re.findall(rf'name="q{questions["nps"]}"\s+value="(\d+)"', page) == [str(n) for n in range(11)]
    assert re.findall(rf'name="q{questions["rating"]}"\s+value="(\d+)"', page) == ["1", "2", "3", "4", "5"]
    assert re.findall(rf'name="q{questions["choice"]}"\s+value="(\w+)"', page) == ["Price", "Speed"]
    assert f'name="q{questions["text"]}"' in page
    assert "Mori &amp; Bada" in page
    assert "<script" not in page


@pytest.mark.parametrize("score", ["0", "9", "10"])
def test_the_score_tapped_in_the_mail_is_preselected(visitor, invitation, questions, score):
    page = text_of(visitor.get(answer_path(invitation), {"score": score}))

    assert checked(page, f"q{questions['nps']}") == [score]


@pytest.mark.parametrize("score", ["11", "-1", "9.5", "９", "x", '9" autofocus onfocus="alert(1)', ""])
def test_any_other_score_in_the_link_is_ignored(visitor, invitation, score):
    answer = visitor.get(answer_path(invitation), {"score": score})

    assert answer.status_code == 200
    assert " checked" not in text_of(answer)
    assert "onfocus" not in text_of(answer)


def test_a_survey_without_a_0_to_10_question_preselects_its_first_rating(visitor, shop, now):
    survey = SurveyFactory()
    rating = QuestionFactory(survey=survey, kind="rating")
    invitation = InvitationFactory(survey=survey, invited_at=now)

    page = text_of(visitor.get(answer_path(invitation), {"score": "4"}))

    assert checked(page, f"q{rating.pk}") == ["4"]


@pytest.mark.parametrize("language", ["en", "ko", "ja"])
def test_the_page_speaks_the_customers_language_not_the_browsers(visitor, survey, now, language):
    invitation = InvitationFactory(survey=survey, customer=CustomerFactory(language=language), invited_at=now)

    page = text_of(visitor.get(answer_path(invitation), headers={"Accept-Language": "ko"}))

    assert f'<html lang="{language}">' in page
    assert LANGUAGES[language]["send"] in page
    assert LANGUAGES[language]["most"] in page
    assert survey.questions.get(kind="nps").texts[language] in page


def test_an_option_is_shown_translated_and_sent_in_english(visitor, survey, now):
    invitation = InvitationFactory(survey=survey, customer=CustomerFactory(language="ja"), invited_at=now)

    page = text_of(visitor.get(answer_path(invitation)))

    assert re.search(r'value="Speed">\s*<span>速さ</span>', page)


def test_nothing_of_the_customer_is_on_the_page(visitor, survey, now):
    customer = CustomerFactory(name="Ada Secretname", email="ada.secret@example.com")
    invitation = InvitationFactory(survey=survey, customer=customer, invited_at=now)

    page = text_of(visitor.get(answer_path(invitation)))

    assert "secret" not in page.lower()


@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_changes_nothing(visitor, invitation, method):
    before = facts()

    for path in (answer_path(invitation), answer_path(invitation) + "thanks/"):
        for score in ("", "?score=0", "?score=10"):
            assert getattr(visitor, method)(path + score).status_code in (200, 302)

    assert facts() == before


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options", "trace"])
def test_other_methods_are_refused(visitor, invitation, method):
    before = facts()

    answer = getattr(visitor, method)(answer_path(invitation), headers={"X-HTTP-Method-Override": "POST"})

    assert answer.status_code == 405
    assert facts() == before


# -- answering -------------------------------------------------------------------------------------------------


def test_sending_saves_and_leads_to_a_thank_you_page_safe_to_reload(visitor, invitation, questions):
    sent = {f"q{questions['nps']}": "9", f"q{questions['text']}": "고맙습니다"}

    answer = visitor.post(answer_path(invitation), sent)

    assert answer.status_code == 303
    assert answer.headers["Location"] == answer_path(invitation) + "thanks/"
    thanks = visitor.get(answer.headers["Location"])
    assert thanks.status_code == 200
    assert LANGUAGES["en"]["thanks_title"] in text_of(thanks)
    assert 'class="given">9<' in text_of(thanks)
    response = Response.objects.get()
    assert (response.score, response.comment) == (9, "고맙습니다")


def test_a_form_needs_no_cookie_and_no_csrf_token(survey, invitation, questions):
    browser = Client(enforce_csrf_checks=True, REMOTE_ADDR="2001:db8:c::1")

    answer = browser.post(answer_path(invitation), {f"q{questions['nps']}": "7"})

    assert answer.status_code == 303
    assert not answer.cookies


def test_an_answer_can_be_changed_for_24_hours_then_no_more(visitor, invitation, questions, at):
    score, path = f"q{questions['nps']}", answer_path(invitation)
    visitor.post(path, {score: "3", f"q{questions['text']}": "Slow"})

    at(hours=23)
    page = text_of(visitor.get(path))
    assert (checked(page, score), "Slow</textarea>" in page) == (["3"], True)
    assert LANGUAGES["en"]["edit_note"] in page
    assert checked(text_of(visitor.get(path, {"score": "8"})), score) == ["8"]
    assert visitor.post(path, {score: "8"}).status_code == 303

    at(hours=24)
    late = visitor.get(path)
    assert (late.status_code, LANGUAGES["en"]["already_title"] in text_of(late)) == (200, True)
    refused = visitor.post(path, {score: "0"})
    assert (refused.status_code, LANGUAGES["en"]["already_title"] in text_of(refused)) == (200, True)
    assert Response.objects.get().score == 8
    assert LANGUAGES["en"]["change"] not in text_of(visitor.get(path + "thanks/"))


def test_a_wrong_form_comes_back_filled_with_the_words_beside_the_field(visitor, invitation, questions):
    sent = {f"q{questions['rating']}": "4", f"q{questions['text']}": "가" * 5001}

    answer = visitor.post(answer_path(invitation), sent)

    page = text_of(answer)
    assert answer.status_code == 422
    assert LANGUAGES["en"]["required"] in page
    assert LANGUAGES["en"]["too_long"] in page
    assert LANGUAGES["en"]["error_summary"] in page
    assert checked(page, f"q{questions['rating']}") == ["4"]
    assert "가" * 5001 in page
    assert not Response.objects.exists()


@pytest.mark.parametrize(
    "sent",
    [
        {"q999999999999999999999999": "1"},
        {"q999999": "1"},
        {"q²": "1"},
        {"q": "1"},
        {"q-1": "1"},
        {"score": "9"},
        {"customer": "2", "survey": "3"},
    ],
)
def test_fields_nobody_asked_for_are_refused_or_ignored(visitor, invitation, sent):
    answer = visitor.post(answer_path(invitation), sent)

    assert answer.status_code == 422
    assert not Response.objects.exists()


PAYLOADS = [
    "<script>alert(1)</script>",
    '"><svg onload=alert(1)>',
    "</textarea><img src=x onerror=alert(1)>",
    "{{ 7*7 }}{% load log %}",
    "javascript:alert(1)",
    "<style>*{display:none}</style>",
    "\u202e<b>right to left</b>",
    "&lt;script&gt;",
]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_markup_in_an_answer_stays_text(visitor, invitation, questions, payload):
    path, field = answer_path(invitation), f"q{questions['text']}"
    visitor.post(path, {f"q{questions['nps']}": "5", field: payload})

    page = text_of(visitor.get(path))
    assert Response.objects.get().comment == payload
    assert f"{escape(payload)}</textarea>" in page
    assert page.count("<textarea") == page.count("</textarea>") == 1
    assert not re.search(r"<(script|img|svg|style|b)\b", page)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_markup_in_what_staff_wrote_stays_text_too(visitor, shop, now, payload):
    shop.name = payload
    shop.save()
    survey = SurveyFactory(name=payload)
    QuestionFactory(survey=survey, kind="choice", texts={"en": payload}, options=[payload, "B"])
    invitation = InvitationFactory(survey=survey, invited_at=now)

    page = text_of(visitor.get(answer_path(invitation)))

    assert not re.search(r"<(script|img|svg|style|b)\b", page)
