"""What a person does in a page, in few words, and whose browser it is."""

import re
from dataclasses import dataclass

from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from customers.choices import Purpose
from customers.models import Customer, Segment
from customers.services import consent, people
from tests.browser.conftest import Watch

PATIENCE_MS = 20_000
WORK_MS = 90_000  # for what a worker does


@dataclass(frozen=True)
class Mail:
    """What the customer holds in hands."""

    customer: Customer
    address: str
    html: str
    code: str


class People:
    """Browsers of different people, each without the others' cookies, and what any of their pages complained of."""

    def __init__(self, browser: Browser, site: str) -> None:
        self.browser, self.site = browser, site
        self.contexts: list[BrowserContext] = []
        self.watches: list[Watch] = []

    def somebody(self) -> Page:
        context = self.browser.new_context(locale="en-US", viewport={"width": 1440, "height": 900})
        context.set_default_timeout(PATIENCE_MS)
        self.contexts.append(context)
        page = context.new_page()
        self.watches.append(Watch(page, self.site))
        return page

    def problems(self) -> list[str]:
        return [words for watch in self.watches for _place, words in watch.problems]


def goes_to(page: Page, name: str) -> None:
    """By the sidebar, whose links are named by their icon and their words."""
    page.get_by_role("link", name=re.compile(rf"(^|\s){name}$")).first.click()


def presses(page: Page, name: str, *, confirm: str = "") -> None:
    page.get_by_role("button", name=name, exact=True).click()
    if confirm:
        page.get_by_role("dialog").get_by_role("button", name=confirm, exact=True).click()


def sees(page: Page, text: str, *, patience: float = PATIENCE_MS) -> None:
    expect(page.get_by_text(text).first).to_be_visible(timeout=patience)


def number(words: str) -> int:
    return int(words.replace(",", "").replace("−", "-"))


def card(page: Page, heading: str) -> Locator:
    """The section of a page under that heading."""
    return page.locator("section").filter(has=page.get_by_role("heading", name=heading))


def states(page: Page) -> dict[str, int]:
    lines = page.locator(".mc-legend__item").all_inner_texts()
    return {name.strip(): number(count) for name, count in (line.strip().rsplit("\n", 1) for line in lines)}


def under_way(found: dict[str, int]) -> int:
    """How many mails are neither out nor given up."""
    return found["Waiting"] + found["Claimed"] + found["Sending"]


def the_shop_knows_the_others(segment: Segment) -> None:
    """Of forty, one has no address and another never agreed to offers."""
    now = timezone.now()
    without = Customer.objects.in_segment(segment.pk).filter(email="").order_by("pk")
    for n, customer in enumerate(without):
        if n % 40 == 0:
            continue
        address = f"buyer{customer.pk}@mail.example"
        people.update_customer(customer=customer, changes={"email": address}, at=now)
        if n % 40 != 1:
            facts = {"source": "checkout form", "wording": "Send me offers.", "stated_at": now, "at": now}
            consent.grant(customer=customer, purpose=Purpose.MARKETING, **facts)
