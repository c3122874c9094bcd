"""The unsubscribe link, by person, by mail program and by machine."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from campaigns.models import Coupon, Engagement, Message, Suppression
from campaigns.services import campaigns as campaigning
from campaigns.services import suppression, unsubscribe
from crm.common import tokens
from crm.common.errors import InvalidInput
from customers.models import Consent
from customers.services import consent, people
from tests.factories import ConsentFactory, MessageFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def message(shop):
    made = MessageFactory(status="sent")
    ConsentFactory(customer=made.customer)
    return made


def _link(message, purpose="unsubscribe"):
    return reverse("unsubscribe", args=[tokens.sign(purpose, message.pk)])


def _state():
    return (
        list(Consent.objects.order_by("pk").values_list("status", "superseded_at")),
        Suppression.objects.count(),
        Engagement.objects.count(),
    )


@pytest.mark.parametrize("method", ["get", "head"])
def test_opening_the_link_changes_nothing(method, client, message):
    before = _state()

    for _ in range(3):
        answer = getattr(client, method)(_link(message))

    assert answer.status_code == 200
    assert _state() == before
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize(
    ("language", "word"), [("ko", "수신거부"), ("ja", "配信停止"), ("en", "Unsubscribe")]
)
def test_the_page_has_one_button_in_the_customers_language(language, word, client, message):
    message.customer.language = language
    message.customer.save()

    page = client.get(_link(message), headers={"Accept-Language": "fr"}).content.decode()

    assert f'<html lang="{language}">' in page
    assert page.count("<button") == 1
    assert word in page.partition("<button")[2]


ONE_CLICK = {"data": "List-Unsubscribe=One-Click", "content_type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    "body",
    [
        ONE_CLICK,
        {"data": {"List-Unsubscribe": "One-Click"}},
        {"data": b"", "content_type": "application/x-www-form-urlencoded"},
        {"data": "{}", "content_type": "application/json"},
        {"data": b"\xff" * 1000, "content_type": "text/plain"},
    ],
)
def test_a_mail_programs_post_acts_at_once_without_cookie_or_redirect(body, message, shop):
    client = Client(enforce_csrf_checks=True)

    answer = client.post(_link(message), **body)

    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers and not answer.cookies
    current = Consent.objects.get(customer=message.customer, superseded_at=None)
    assert (current.status, current.source) == ("withdrawn", "unsubscribe link")
    assert Suppression.objects.get().address_hash == suppression.hash_address(message.address)


def test_unsubscribing_again_is_harmless(client, message):
    client.post(_link(message), **ONE_CLICK)
    after_first = _state()

    for _ in range(3):
        answer = client.post(_link(message), **ONE_CLICK)

    assert answer.status_code == 200
    assert _state() == after_first
    assert Engagement.objects.get().kind == "unsubscribed"


def test_a_token_of_any_age_still_unsubscribes(client, message):
    with time_machine.travel("2016-01-01"):
        link = _link(message)

    answer = client.post(link, **ONE_CLICK)

    assert answer.status_code == 200
    assert Suppression.objects.count() == 1


@pytest.mark.parametrize(
    "mangle",
    [
        lambda token: token[:-1],
        lambda token: token.swapcase(),
        lambda token: token * 2,
        lambda token: "9" + token,
        lambda token: "x",
        lambda token: "1~2~3",
    ],
)
def test_a_forged_link_is_unknown_and_asks_the_database_nothing(
    mangle, client, message, django_assert_num_queries
):
    token = mangle(tokens.sign("unsubscribe", message.pk))
    before = _state()

    with django_assert_num_queries(0):
        answers = [client.get(f"/u/{token}/"), client.post(f"/u/{token}/", **ONE_CLICK)]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert _state() == before


def test_a_survey_links_token_does_not_unsubscribe(client, message):
    before = _state()

    answer = client.post(_link(message, purpose="survey"), **ONE_CLICK)

    assert answer.status_code == 404
    assert _state() == before


@pytest.mark.parametrize("tail", ["=", ".", ">", ","])
def test_punctuation_a_mail_program_added_does_not_break_the_link(tail, client, message):
    answer = client.post(f"/u/{tokens.sign('unsubscribe', message.pk)}{tail}/", **ONE_CLICK)

    assert answer.status_code == 200
    assert Suppression.objects.count() == 1


@pytest.mark.parametrize("method", ["put", "patch", "delete", "trace", "options"])
def test_other_methods_are_refused(method, client, message):
    before = _state()

    answer = getattr(client, method)(_link(message))

    assert answer.status_code == 405
    assert _state() == before


def test_a_header_cannot_turn_a_get_into_a_post(client, message):
    before = _state()

    client.get(_link(message), headers={"X-HTTP-Method-Override": "POST"})

    assert _state() == before


def test_an_erased_customers_link_is_answered_kindly(client, message):
    link = _link(message)
    message.customer.delete()

    assert client.post(link, **ONE_CLICK).status_code == 200
    assert client.get(link).status_code == 200


def test_the_sample_link_of_a_test_mail_does_nothing(client, message):
    before = _state()

    assert client.post(f"/u/{tokens.sign('unsubscribe', 0)}/", **ONE_CLICK).status_code == 200
    assert _state() == before


# -- what follows from a no ------------------------------------------------------------------------------------------


def test_a_no_takes_everything_waiting_out_of_the_queue_in_the_same_transaction(
    member, launched, deliver, sink, now
):
    person, other = member(), member()
    launched()
    second = launched()
    first_message = Message.objects.filter(customer=person).earliest("pk")

    unsubscribe.unsubscribe(message=first_message, at=now, source="unsubscribe link")

    found = set(Message.objects.filter(customer=person).values_list("status", "reason"))
    assert found == {("suppressed", "consent_withdrawn")}
    assert set(Coupon.objects.filter(customer=person).values_list("status", flat=True)) == {"cancelled"}
    deliver()
    assert sink.addresses() == [other.email] * 2
    assert second.messages.count() == 2


def test_a_no_to_marketing_is_not_a_no_to_surveys(member, launched, now):
    person = member()
    ConsentFactory(customer=person, purpose="survey")
    launched()
    launched(purpose="survey", offer=None, variants={"en": ("Hi", "Hello")})

    consent.withdraw(customer=person, purpose="marketing", source="phone", at=now)

    assert set(Message.objects.values_list("campaign__purpose", "status")) == {
        ("marketing", "suppressed"),
        ("survey", "pending"),
    }


def test_who_said_no_is_not_mailed_by_the_next_campaign_even_with_a_consent_imported_later(
    member, launched, now
):
    person, _other = member(), member()
    launched()
    unsubscribe.unsubscribe(message=Message.objects.get(customer=person), at=now, source="unsubscribe link")
    consent.grant(
        customer=person,
        purpose="marketing",
        source="import",
        wording="old file",
        stated_at=now,
        at=now + timedelta(days=1),
    )

    campaign = launched()

    assert campaign.messages.get(customer=person).reason == "suppressed_address"


def test_a_changed_address_takes_mail_to_the_old_one_out_of_the_queue(member, launched, now):
    person = member()
    launched()

    people.update_customer(customer=person, changes={"email": "new@mail.example"}, at=now)

    assert Message.objects.values_list("status", "reason").get() == ("suppressed", "address_changed")


def test_a_block_is_lifted_only_with_a_reason(shop, now):
    suppression.suppress(address="ada@mail.example", reason="bounced", at=now)

    with pytest.raises(InvalidInput):
        suppression.lift(address="ada@mail.example", reason=" ", at=now)
    assert Suppression.objects.get().lifted_at is None

    assert suppression.lift(address="ada@mail.example", reason="typo corrected", at=now) == 1
    with pytest.raises(suppression.NotSuppressed):
        suppression.lift(address="ada@mail.example", reason="again", at=now)


def test_a_block_outlives_a_rotated_secret_key(settings, now):
    settings.SECRET_KEY = "old" * 20
    suppression.suppress(address="ada@mail.example", reason="complained", at=now)

    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new" * 20, ["old" * 20]

    assert suppression.hash_address("ada@mail.example") == Suppression.objects.get().address_hash


def test_the_ledger_holds_the_same_hash_as_python_computes(member, launched):
    person = member(email="grüße@mail.example")

    launched()

    assert Message.objects.get().address_hash == suppression.hash_address(person.email_normalised)


def test_stopping_a_campaign_and_a_no_at_once_leaves_one_reason(member, launched, now):
    person = member()
    campaign = launched()
    campaigning.stop(campaign=campaign, at=now)

    consent.withdraw(customer=person, purpose="marketing", source="phone", at=now)

    assert Message.objects.get().reason == "campaign_stopped"
