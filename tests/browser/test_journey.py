"""The main job, clicked through in Chromium by a member of staff and a customer.

Import -> night -> segment -> offer, survey, campaign -> mails in the Outbox -> survey and goodbye from the mail ->
the customer's page -> coupon used once -> the next campaign leaves them out. PostgreSQL, Valkey, the Celery worker
and the mail server are real ones; only the addresses of a log that has none are given by the services.
"""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import lifetimes.datasets
import pytest
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.core.management import call_command
from playwright.sync_api import Browser, Page, expect

from campaigns.models import Campaign, Coupon, MailboxMessage
from crm.common.models import JobRun, Shop, User
from crm.pages.mail_frame import read
from customers.choices import Purpose
from customers.models import Consent, Customer, Purchase, Segment
from feedback.models import Response
from ltv.models import CustomerLtv
from tests import workers
from tests.browser.people import (
    PATIENCE_MS,
    WORK_MS,
    Mail,
    People,
    card,
    goes_to,
    number,
    presses,
    sees,
    states,
    the_shop_knows_the_others,
    under_way,
)
from tests.campaigns.sink import Sink
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db(transaction=True)
SAMPLE = Path(lifetimes.datasets.__file__).parent / "CDNOW_sample.txt"
LAST_DAY = date(1998, 7, 1)  # the log ends on 1998-06-30
PASSWORD = "a long word for staff"
BODY = "Dear {{ name }},\n\nwe kept something for you: {{ coupon_code }}, until {{ coupon_expires }}."


@pytest.fixture
def site(live_server, settings, shop: Shop, tmp_path: Path) -> Iterator[str]:
    """The shop on its log's last day, newly set up, with its own mailbox and a worker."""
    cache.clear()
    Shop.objects.update(frozen_on=LAST_DAY, time_zone="UTC")
    call_command("setup", owner_password_file=tmp_path / "password", verbosity=0)
    settings.SITE_URL = live_server.url
    settings.SMTP_URL = Sink().url  # a free port; the mailbox itself listens there
    command = [sys.executable, "manage.py", "mailbox"]
    mailbox = subprocess.Popen(command, env=workers.environment(), stdout=subprocess.PIPE, text=True)
    assert mailbox.stdout is not None
    assert mailbox.stdout.readline().startswith("Mailbox on")
    with workers.running():
        yield live_server.url
    mailbox.send_signal(signal.SIGTERM)
    assert mailbox.wait(20) == 0


@pytest.fixture
def marketer(site: str) -> User:
    """Not an owner: somebody with the role this work is made for."""
    user = UserFactory(username="mina")
    user.set_password(PASSWORD)
    user.save()
    user.groups.add(Group.objects.get(name="marketer"))
    return user


@pytest.fixture
def visitors(chromium: Browser, site: str) -> Iterator[People]:
    expect.set_options(timeout=PATIENCE_MS)
    found = People(chromium, site)
    yield found
    for context in found.contexts:
        context.close()


def test_staff_win_lapsed_customers_back_and_a_customer_answers_and_leaves(
    site: str, marketer: User, visitors: People
):
    page = visitors.somebody()
    logs_in(page, site)
    imports_the_log(page)
    has_everyone_valued(page)
    segment = makes_a_segment(page)
    gives_one_an_address(page, segment)
    the_shop_knows_the_others(segment)
    makes_an_offer(page)
    makes_a_survey(page)
    campaign = drafts_a_campaign(page, segment)
    promised = preflight_adds_up(page, campaign)
    launches(page)
    watches_the_states(page, campaign, promised)
    mail = reads_a_mail_in_the_outbox(page)
    customer_page = visitors.somebody()
    answers_the_survey(customer_page, mail)
    unsubscribes(customer_page, mail)
    sees_it_on_the_customers_page(page, mail)
    uses_the_coupon_once(page, mail)
    the_next_campaign_leaves_out(mail, page, segment)

    # the one thing a browser complained of: the second use of the coupon, answered with 422
    (refused,) = visitors.problems()
    assert "422" in refused


# -- what staff do --------------------------------------------------------------------------------------------


def logs_in(page: Page, site: str) -> None:
    page.goto(f"{site}/admin/")
    page.locator("[name=username]").fill("mina")
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("[type=submit]").first.click()

    expect(page.locator(".mc h1")).to_have_text("Mori & Bada")
    sees(page, "There are no value figures yet")


def imports_the_log(page: Page) -> None:
    goes_to(page, "Imports")
    page.get_by_role("link", name="New import").click()
    page.get_by_label("File", exact=False).first.set_input_files(SAMPLE)
    page.get_by_label("Shop system").fill("cdnow")
    page.get_by_label("Kind of file").select_option(label="CDNOW purchase log")
    presses(page, "Upload")

    sees(page, "Nothing has been written yet.", patience=WORK_MS)
    figures = page.locator(".mc-strip .mc-stat__value")
    expect(figures).to_have_text(["6,919", "0", "0", "0", "2,357"])
    assert Purchase.objects.count() == 0

    presses(page, "Apply")

    expect(page.locator(".mc-note--good")).to_contain_text("Applied", timeout=WORK_MS)
    assert (Customer.objects.count(), Purchase.objects.count()) == (2357, 6919)


def has_everyone_valued(page: Page) -> None:
    goes_to(page, "Today")
    presses(page, "Recalculate now", confirm="Recalculate")

    sees(page, "A recalculation was asked for.")
    night = card(page, "Last night")
    expect(night.locator(".mc-chip")).to_have_text("Done", timeout=WORK_MS)
    sees(page, "of 2,357 buyers, 2,357 known")
    expect(night).to_contain_text("Asked for by mina")
    assert not JobRun.objects.exclude(state="done").exists()
    assert CustomerLtv.objects.count() == 2357


def makes_a_segment(page: Page) -> Segment:
    """Bought again at least once, then not for half a year."""
    goes_to(page, "Segments")
    page.get_by_role("link", name="New segment").click()
    page.get_by_label("Name").fill("Lapsed repeat buyers")
    conditions = page.locator(".mc-cond")
    conditions.nth(0).get_by_label("What is asked").select_option("ltv.frequency")
    conditions.nth(0).get_by_label("How it compares").select_option(">=")
    conditions.nth(0).get_by_label("Value", exact=True).fill("2")
    presses(page, "Condition")
    conditions.nth(1).get_by_label("What is asked").select_option("ltv.recency_days")
    conditions.nth(1).get_by_label("How it compares").select_option("between")
    conditions.nth(1).get_by_label("Value", exact=True).nth(0).fill("180")
    conditions.nth(1).get_by_label("Value", exact=True).nth(1).fill("280")

    fit = CustomerLtv.objects.filter(frequency__gte=2, recency_days__range=(180, 280)).count()
    expect(page.locator("#preview-count")).to_have_text(str(fit))
    presses(page, "Save")
    sees(page, f"Segment saved: {fit} members.")
    segment = Segment.objects.get(name="Lapsed repeat buyers")
    assert segment.member_count == fit > 100
    return segment


def gives_one_an_address(page: Page, segment: Segment) -> None:
    """On the customer's own page: the address, and what they agreed to."""
    page.locator(".mc-table .mc-person__name").first.click()
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("E-mail").fill("First.Buyer@Mail.Example")
    presses(page, "Save")
    sees(page, "Saved.")
    page.get_by_text("Record a consent").first.click()
    form = page.locator("form[action$='/consent/marketing/']")
    form.get_by_label("Where it was said").fill("phone call")
    form.get_by_label("The text the customer agreed to").fill("Yes, send me offers.")
    form.get_by_role("button", name="Record the consent").click()

    sees(page, "Consent recorded.")
    sees(page, "Offers and news by e-mail: Granted")
    expect(page.locator(".mc-head__who a[href^=mailto]")).to_contain_text("mail.example", ignore_case=True)
    known = Customer.objects.in_segment(segment.pk).exclude(email="").get()
    assert known.email_normalised == "first.buyer@mail.example"


def makes_an_offer(page: Page) -> None:
    goes_to(page, "Offers and coupons")
    page.get_by_role("link", name="New offer").click()
    page.locator("[name=name]").fill("Welcome back")
    page.locator("[name=kind]").select_option("percent")
    page.locator("[name=value]").fill("15")
    page.locator("[name=_save]").click()

    sees(page, "Welcome back")
    sees(page, "was added successfully")


def makes_a_survey(page: Page) -> None:
    goes_to(page, "Surveys")
    page.get_by_role("link", name="New survey").click()
    page.get_by_label("Name").fill("How was it?")
    presses(page, "Save")
    sees(page, "Draft saved. Open it to let customers answer.")
    presses(page, "Open for answers")

    sees(page, "Customers can answer now.")


def drafts_a_campaign(page: Page, segment: Segment) -> Campaign:
    goes_to(page, "Segments")
    page.get_by_role("link", name=segment.name, exact=True).click()
    page.get_by_role("link", name="New campaign").click()
    expect(page.get_by_label("Audience")).to_have_value(str(segment.pk))
    page.get_by_label("Name").fill("Come back")
    page.get_by_label("Held out, percent").fill("20")
    page.get_by_label("Offer", exact=True).select_option(label="Welcome back")
    page.get_by_label("Survey", exact=True).select_option(label="How was it?")
    page.get_by_label("Subject in English").fill("We miss you, {{ name }}")
    page.get_by_label("Text in English").fill(BODY)
    presses(page, "Save the draft")

    sees(page, "Draft saved. Nothing is sent before you launch it.")
    return Campaign.objects.get(name="Come back")


def preflight_adds_up(page: Page, campaign: Campaign) -> tuple[int, int]:
    """How many would get the mail, and how many are held out."""
    sees(page, "Who would get it now")
    steps = [number(words) for words in page.locator(".mc-step strong").all_inner_texts()]
    members, no_address, no_consent, blocked, held_out, sent = steps
    assert members == campaign.segment.member_count
    assert sum(steps[:-1]) == sent > 50
    assert min(-no_address, -no_consent) > 0
    assert (blocked, held_out < -10) == (0, True)
    return sent, -held_out


def launches(page: Page) -> None:
    sent = page.locator(".mc-step strong").last.inner_text()
    page.get_by_role("button", name="Launch").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading")).to_have_text(f"Launch to {sent} customers?")
    dialog.get_by_role("button", name="Launch", exact=True).click()

    sees(page, "Launched. Mails leave as the mail server takes them.")


def watches_the_states(page: Page, campaign: Campaign, promised: tuple[int, int]) -> None:
    """Looked at again and again while the mails leave, the states add up every time; it ends as promised."""

    def settled() -> bool:
        page.reload()
        found = states(page)
        together = found.pop("Together")
        assert together == sum(found.values()) == campaign.segment.member_count
        return not under_way(found)

    workers.wait_until(settled, "every mail is out")
    found = states(page)
    assert (found["Sent"], found["Held out"]) == promised
    assert found["Sent"] == MailboxMessage.objects.count()
    assert found["Not sent"] > 0
    assert (found["Failed"], found["Unknown"]) == (0, 0)


def reads_a_mail_in_the_outbox(page: Page) -> Mail:
    goes_to(page, "Outbox")
    page.locator(".mc-table .mc-person__name").first.click()
    sees(page, "As the customer sees it")
    kept = MailboxMessage.objects.get(pk=int(page.url.rstrip("/").rsplit("/", 1)[1]))
    (address,) = kept.recipients
    customer = Customer.objects.get(email_normalised=address)
    words = page.frame_locator("iframe.mc-mail").locator("body")
    expect(page.locator(".mc h1")).to_have_text(f"We miss you, {customer.name}")
    expect(words).to_contain_text(f"Dear {customer.name}")
    found = re.search(r"for you: (\S+), until", words.inner_text())
    assert found is not None
    assert Coupon.objects.get(customer=customer).code == found[1].replace("-", "")
    return Mail(customer, address, read(bytes(kept.raw)).html, found[1])


# -- what the customer does -----------------------------------------------------------------------------------


def answers_the_survey(page: Page, mail: Mail) -> None:
    page.set_content(mail.html)
    page.get_by_role("link", name="9", exact=True).click()

    expect(page.get_by_role("radio", name="9", exact=True)).to_be_checked()
    assert not Response.objects.exists()  # looking is not answering
    page.get_by_role("textbox").fill("Quick, and well packed.")
    presses(page, "Send my answer")

    expect(page.locator(".given")).to_have_text("9 / 10")
    answer = Response.objects.get()
    assert (answer.customer, answer.score) == (mail.customer, 9)


def unsubscribes(page: Page, mail: Mail) -> None:
    page.goto("about:blank")  # out of the shop's page and its policy, back in the mail
    page.set_content(mail.html)
    page.get_by_role("link", name="Unsubscribe").click()
    sees(page, "You will get no more offers and news")
    assert marketing_consent(mail.customer) == "granted"  # a mail scanner looks too
    presses(page, "Unsubscribe")

    sees(page, "You are unsubscribed")
    assert marketing_consent(mail.customer) == "withdrawn"


def marketing_consent(customer: Customer) -> str:
    return Consent.objects.get(customer=customer, purpose=Purpose.MARKETING, superseded_at=None).status


# -- what staff see of it -------------------------------------------------------------------------------------


def sees_it_on_the_customers_page(page: Page, mail: Mail) -> None:
    page.locator("header .mc-chip--main").click()  # from the mail to its customer
    expect(page.locator(".mc h1")).to_have_text(mail.customer.name)
    expect(page.locator(".mc-head__who")).to_contain_text("Offers and news by e-mail: Withdrawn")
    story = page.locator(".mc-timeline")
    for words in ("Campaign: Come back", mail.code, "Answered How was it?: 9 of 10", "Unsubscribed"):
        expect(story).to_contain_text(words)
    expect(card(page, "Last answers")).to_contain_text("Quick, and well packed.")


def uses_the_coupon_once(page: Page, mail: Mail) -> None:
    goes_to(page, "Offers and coupons")
    for order in ("A-1", "A-2"):
        page.get_by_label("Coupon code").fill(mail.code.lower())
        page.get_by_label("Order id").fill(order)
        presses(page, "Use it for this order")
        if order == "A-1":
            sees(page, f"Welcome back: used by {mail.customer.name}.")
    refusal = page.get_by_role("alert")
    expect(refusal).to_contain_text(f"Already used by {mail.customer.name}")
    expect(refusal).to_contain_text("for order A-1")

    coupon = Coupon.objects.get(customer=mail.customer)
    assert (coupon.status, coupon.order_ref) == ("redeemed", "A-1")


def the_next_campaign_leaves_out(mail: Mail, page: Page, segment: Segment) -> None:
    before = MailboxMessage.objects.count()
    goes_to(page, "Campaigns")
    page.get_by_role("link", name="New campaign").click()
    page.get_by_label("Name").fill("News of July")
    page.get_by_label("Kind").select_option(label="News")
    page.get_by_label("Audience").select_option(str(segment.pk))
    page.get_by_label("Held out, percent").fill("0")
    page.get_by_label("Subject in English").fill("News")
    page.get_by_label("Text in English").fill("Dear {{ name }}, here is what is new.")
    presses(page, "Save the draft")
    launches(page)
    campaign = Campaign.objects.get(name="News of July")
    watches_the_news(page, campaign, before)
    page.get_by_role("link", name="Not sent").click()

    row = page.get_by_role("row").filter(has=page.get_by_role("link", name=mail.customer.name, exact=True))
    expect(row).to_contain_text("Not sent")
    expect(row).to_contain_text("had withdrawn consent")
    assert MailboxMessage.objects.filter(recipients__contains=[mail.address]).count() == 1


def watches_the_news(page: Page, campaign: Campaign, before: int) -> None:
    def settled() -> bool:
        page.reload()
        return not under_way(states(page))

    workers.wait_until(settled, "the news are out")
    found = states(page)
    assert found["Sent"] == MailboxMessage.objects.count() - before > 50
    assert found["Sent"] + found["Not sent"] == found["Together"] == campaign.segment.member_count
