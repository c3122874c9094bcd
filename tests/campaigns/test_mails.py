"""What customers get: parsed from what the mail server took."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from campaigns.choices import OfferKind
from campaigns.core import codes
from campaigns.models import Coupon, Message
from campaigns.services import campaigns as campaigning
from crm.common import tokens
from crm.common.errors import InvalidInput
from tests.factories import ConsentFactory, OfferFactory, QuestionFactory, SurveyFactory


def _part(mail, kind):
    return mail.get_body((kind,)).get_content()


def test_a_mail_has_both_parts_and_the_headers_the_law_and_the_providers_ask_for(
    member, launched, deliver, sink, now, shop
):
    person = member(name="Ada Kim", given_name="Ada")
    launched()

    deliver()

    mail, message = sink.to(person.email), Message.objects.get()
    assert mail["Subject"] == "We miss you, Ada"
    assert mail["From"] == "Mori & Bada <hello@shop.example>"
    assert mail["To"] == person.email
    assert mail["Message-ID"] == message.message_id
    assert mail["Date"].datetime == now
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    web, mailto = mail["List-Unsubscribe"].split(", ")
    assert tokens.read("unsubscribe", web.removeprefix("<https://crm.example/u/").removesuffix("/>")) == (
        message.pk,
    )
    assert mailto.startswith("<mailto:hello@shop.example?subject=unsubscribe")
    assert mail.get_content_type() == "multipart/alternative"
    for kind in ("plain", "html"):
        content = _part(mail, kind)
        assert "Dear Ada Kim," in content
        assert f"https://crm.example/u/{message.pk}~" in content
        assert "Mori & Bada · 12 Teheran-ro, Seoul" in content.replace("&amp;", "&")
        assert "because you agreed to receive offers and news" in content


def test_the_html_part_stands_alone_with_its_style_inline(member, launched, deliver, sink):
    person = member()
    launched()

    deliver()

    page = _part(sink.to(person.email), "html")
    assert 'class="card" ' in page and 'style="background: #ffffff;' in page
    assert "<link" not in page and "<script" not in page and "<img" not in page and "@@" not in page


@pytest.mark.parametrize(
    ("language", "why", "unsubscribe"),
    [
        (
            "ko",
            "이 메일은 Mori & Bada의 혜택·소식 수신에 동의하신",
            "수신거부 (Unsubscribe): https://crm.example/u/",
        ),
        ("ja", "Mori & Badaからのお得な情報・お知らせの受信に同意", "配信停止: https://crm.example/u/"),
        ("en", "because you agreed to receive offers and news from Mori & Bada", "Unsubscribe: https://"),
    ],
)
def test_the_footer_speaks_the_customers_language(
    language, why, unsubscribe, member, launched, deliver, sink
):
    person = member(language=language)
    launched()

    deliver()

    text = _part(sink.to(person.email), "plain")
    assert why in text
    assert unsubscribe in text


def test_an_nps_survey_asks_its_question_with_eleven_links(member, launched, deliver, sink):
    survey = SurveyFactory(status="open", kind="nps")
    QuestionFactory(survey=survey, kind="nps", texts={"en": "Recommend us?", "ko": "추천하시겠어요?"})
    person = member(language="ko")
    launched(survey=survey, offer=None, variants={"en": ("One question", "Hello {{ name }}")})

    deliver()

    mail = sink.to(person.email)
    page, text = _part(mail, "html"), _part(mail, "plain")
    assert "추천하시겠어요?" in page and "추천하시겠어요?" in text
    assert "전혀 추천하지 않음" in page and "매우 추천함" in page
    for score in range(11):
        assert page.count(f'/?score={score}"') == 1
        assert text.count(f"/?score={score}\r\n") == 1


def test_another_survey_gets_one_button(member, launched, deliver, sink):
    survey = SurveyFactory(status="open", kind="custom")
    QuestionFactory(survey=survey, kind="text", texts={"en": "What else?"})
    person = member(language="ja")
    launched(survey=survey, offer=None, variants={"en": ("Questions", "Hello {{ name }}")})

    deliver()

    page = _part(sink.to(person.email), "html")
    assert "アンケートに答える" in page
    assert "?score=" not in page


def test_offer_fields_speak_the_customers_language_and_the_shops_day(member, launched, deliver, sink):
    person = member(language="ko")
    offer = OfferFactory(
        name="봄맞이 3,000원", kind=OfferKind.AMOUNT, value=Decimal(3000), currency="KRW", valid_days=10
    )
    body = "{{ offer_name }}: {{ coupon_code }}, {{ coupon_expires }}까지"
    launched(offer=offer, variants={"ko": ("쿠폰", body)})

    deliver(datetime(2026, 3, 2, 10, tzinfo=UTC))

    assert "봄맞이 3,000원: " in (text := _part(sink.to(person.email), "plain"))
    assert "2026년 3월 12일까지" in text


def test_a_coupons_code_stays_on_one_line_and_in_an_address_as_it_is(member, launched, deliver, sink):
    person = member()
    body = "Your code: {{ coupon_code }}\n\nhttps://shop.example/?code={{ coupon_code }}"
    launched(offer=OfferFactory(), variants={"en": ("A code", body)})

    deliver()

    code = codes.display(Coupon.objects.get().code)
    page = _part(sink.to(person.email), "html")
    assert f'Your code: <span style="white-space:nowrap">{code}</span></p>' in page
    assert f"https://shop.example/?code={code}" in page
    assert f"Your code: {code}\r\n" in _part(sink.to(person.email), "plain")


@pytest.mark.parametrize(
    "subject",
    [
        "봄 소식",
        "(광고) 봄 소식",
        "(광고)봄 소식",
        "(광고)(광고) 봄 소식",
        "[광고] 봄 소식",
        "( 광고 ) 봄 소식",
        "(광 고) 봄 소식",
        "(광.고) 봄 소식",
        "（광고） 봄 소식",
        "{광고}봄 소식",
        " (광고)  (광 고)봄 소식",
        "【광고】 봄 소식",
    ],
)
def test_a_korean_customers_subject_starts_with_the_label_exactly_once(
    subject, member, launched, deliver, sink
):
    person = member(country="KR", language="ko")
    launched(variants={"ko": (subject, "{{ name }}")}, offer=None)

    deliver()

    assert sink.to(person.email)["Subject"] == "(광고) 봄 소식"


def test_the_label_follows_the_country_not_the_language(member, launched, deliver, sink):
    abroad, at_home = member(country="US", language="ko"), member(country="KR", language="en")
    launched(variants={"en": ("News", "Hi {{ name }}")}, offer=None)

    deliver()

    assert sink.to(abroad.email)["Subject"] == "News"
    assert sink.to(at_home.email)["Subject"] == "(광고) News"


def test_a_survey_is_not_an_advertisement(member, launched, deliver, sink):
    person = member(country="KR", consents=False)
    ConsentFactory(customer=person, purpose="survey")
    launched(purpose="survey", variants={"en": ("Your opinion", "Hi {{ name }}")}, offer=None)

    deliver()

    mail = sink.to(person.email)
    assert mail["Subject"] == "Your opinion"
    assert "because you agreed to receive surveys" in _part(mail, "plain")


NASTY_NAMES = [
    "<script>alert(1)</script>",
    '"><svg onload=alert(1)>',
    "{{ coupon_code }}{% if true %}x{% endif %}",
    "Eve\r\nBcc: evil@x.example",
    "Eve\u2028Bcc: evil@x.example",
    "\u202eevE",
    "@@unsubscribe_url@@",
    "http://evil.example/login",
    "a" * 160,
    "김" * 160,
    "👩‍👩‍👧‍👦",
    "한글",
    "%s %(x)s {0}",
]


@pytest.mark.parametrize("name", NASTY_NAMES)
def test_a_name_is_never_more_than_text(name, member, launched, deliver, sink):
    person = member(name=name, given_name=name[:80])
    launched()

    deliver()

    (taken,) = sink.accepted
    mail = taken.mail
    assert taken.recipients == (person.email,)
    assert mail["Bcc"] is None
    assert len(mail["Subject"].splitlines()) == 1
    assert not {letter for letter in mail["Subject"] if ord(letter) < 32 or letter in "\u2028\u202e"}
    page = _part(mail, "html")
    assert "<script>alert" not in page and "<svg" not in page
    assert 'href="http://evil.example' not in page
    if "{{" in name:
        assert "{{ coupon_code }}" in page


def test_a_link_the_author_wrote_becomes_one(member, launched, deliver, sink):
    person = member()
    launched(variants={"en": ("Hi", "See https://shop.example/new?a=1&b=2.")}, offer=None)

    deliver()

    page = _part(sink.to(person.email), "html")
    assert 'href="https://shop.example/new?a=1&amp;b=2"' in page


def test_an_authors_html_is_text(member, launched, deliver, sink):
    person = member()
    launched(
        variants={"en": ("Hi", "<b>bold</b> & <img src=x onerror=alert(1)>\n\njavascript:alert(1)")},
        offer=None,
    )

    deliver()

    page = _part(sink.to(person.email), "html")
    assert "&lt;b&gt;bold&lt;/b&gt; &amp; &lt;img" in page
    assert "<img" not in page and 'href="javascript' not in page
    assert "<b>bold</b> & <img" in _part(sink.to(person.email), "plain")


def test_lines_that_are_only_a_dot_survive_the_wire(member, launched, deliver, sink):
    person = member()
    launched(variants={"en": ("Hi", "one\n.\n..two\n.three")}, offer=None)

    deliver()

    assert _part(sink.to(person.email), "plain").replace("\r\n", "\n").startswith("one\n.\n..two\n.three\n")


def test_an_address_beyond_ascii_is_mailed(member, launched, deliver, sink):
    person = member(email="김@xn--bj0bj06e.kr")
    launched()

    deliver()

    assert sink.addresses() == [person.email]


TEMPLATE_ATTACKS = [
    "{{ name.__class__ }}",
    "{{ name.size }}",
    "{{ settings }}",
    "{% for i in (1..1000000) %}x{% endfor %}",
    "{% assign x = name %}{{ x }}",
    "{% capture x %}y{% endcapture %}",
    "{% include 'secrets' %}",
    "{% render 'secrets' %}",
    "{% load log %}",
    "{% tablerow i in (1..9) %}{% endtablerow %}",
    "{% liquid echo name %}",
    "{{ name | safe }}",
    "{{ name | append: name }}",
    "{{ name | nope }}",
    "{{ name",
    "{% if name %}",
    "{% endif %}",
    "{{ }}",
    "{{ 'a' | base64_decode }}",
    "{% if a %}" * 40 + "{% endif %}" * 40,
    "x" * 20_001,
    "a\x00b",
    "a\ud800b",
]


@pytest.mark.parametrize("body", TEMPLATE_ATTACKS)
def test_a_text_can_only_fill_in_its_fields(body, draft):
    with pytest.raises(InvalidInput) as refusal:
        draft(variants={"en": ("Hi", body)})

    assert refusal.value.detail["field"] == "en.body"


@pytest.mark.parametrize(
    "subject", ["{{ given_name }}", "Hi {{ name | upcase }}", "{% if true %}Hi{% endif %}"]
)
def test_fields_conditions_and_simple_filters_work(subject, draft, now):
    campaign = draft(variants={"en": (subject, "Hello {{ name | default: 'you' }}")}, offer=None)

    assert campaigning.preview(campaign=campaign, language="en", at=now).subject


def test_a_preview_shows_the_mail_and_counts_nothing(draft, now, settings):
    settings.SITE_URL = "https://crm.example"
    campaign = draft()

    seen = campaigning.preview(campaign=campaign, language="ja", country="KR", at=now)

    assert seen.subject == "(광고) We miss you, Ada"
    assert "SAMP-LE00-0000-0000" in seen.text
    assert "配信停止: https://crm.example/u/" in seen.text
    assert Message.objects.count() == 0


def test_a_test_mail_goes_to_one_address_and_is_marked(draft, sink, now):
    campaign = draft()

    campaigning.send_test(campaign=campaign, to="Me@Shop.example", at=now)

    assert sink.to("me@shop.example")["Subject"] == "[Test] We miss you, Ada"
    assert Message.objects.count() == 0


@pytest.mark.parametrize(
    "to", ["", "nobody", "a@b.example, evil@x.example", "a@b.example\r\nBcc: e@x.example"]
)
def test_a_test_mail_to_anything_but_one_address_is_refused(to, draft, sink, now):
    campaign = draft()

    with pytest.raises(InvalidInput):
        campaigning.send_test(campaign=campaign, to=to, at=now)

    assert sink.accepted == []


def test_a_test_mail_says_when_the_server_is_away_or_refuses(draft, sink, now):
    campaign = draft()
    sink.refuse["rcpt"]["me@shop.example"] = "550 5.1.1 No such user"

    with pytest.raises(campaigning.MailServerAway, match="No such user"):
        campaigning.send_test(campaign=campaign, to="me@shop.example", at=now)
    sink.stop()
    with pytest.raises(campaigning.MailServerAway):
        campaigning.send_test(campaign=campaign, to="me@shop.example", at=now + timedelta(minutes=1))
