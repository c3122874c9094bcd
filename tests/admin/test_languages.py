"""Every page in Korean and Japanese: it opens, and says nothing in English that has words in its language."""

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format

from crm import catalogues
from crm.templatetags.crm import day, moment
from customers.services import erasure
from tests.admin.world import ADMIN_LISTS, PAGES
from tests.factories import ConsentFactory, FollowUpFactory, MembershipFactory

SAID = ("title", "placeholder", "alt", "aria-label", "data-label", "data-confirm", "data-confirm-text")
ICONS = ("mc-icon", "material-symbols")  # drawn from their English names
SILENT = {"script", "style", "template", "svg"}
# Written the same in every language, or somebody's words that happen to be ours, too.
SAME = {"–", "SKU", "LTV : CAC", "Message-ID", "HTTP Accept", "English"}
WORLD = {"staff"}
HEADERS = {"mail": {"From", "To", "Subject"}}  # of the mail itself


class Words(HTMLParser):
    """What a page says: its texts and the attributes that are read or heard."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.silent = 0
        self.icon = False

    def handle_starttag(self, tag, attrs):
        self.silent += tag in SILENT
        self.icon = any(mark in (dict(attrs).get("class") or "") for mark in ICONS)
        self.found |= {value.strip() for name, value in attrs if name in SAID and value}

    def handle_endtag(self, tag):
        self.silent -= tag in SILENT
        self.icon = False

    def handle_data(self, data):
        if not (self.silent or self.icon):
            self.found.add(re.sub(r"\s+", " ", data).strip())


def english(language: str) -> set[str]:
    """Whole phrases without a value in them that the language says otherwise."""
    texts = catalogues.read(catalogues.TEXTS / language / "LC_MESSAGES/django.po")
    return (
        {
            message.id
            for message in texts
            if isinstance(message.id, str)
            and message.id
            and message.string != message.id
            and "%" not in message.id
        }
        - SAME
        - WORLD
    )


@pytest.mark.parametrize("language", ["ko", "ja"])
def test_a_page_says_nothing_in_english_that_its_language_has_words_for(
    language, browser_of_staff, staff, shop, world
):
    staff.language = language
    staff.save()
    addresses = {name: world.url(name) for name in PAGES if name != "night_progress"}
    addresses |= {name: reverse(f"admin:{name}_changelist") for name in ADMIN_LISTS}
    addresses |= {"today": "/admin/", "shop": "/admin/common/shop/1/change/"}
    unsaid, left = english(language), {}

    for name, address in addresses.items():
        page = browser_of_staff.get(address)
        words = Words()
        words.feed(page.content.decode())
        assert page.status_code == 200, name
        if found := words.found & unsaid - HEADERS.get(name, set()):
            left[name] = sorted(found)

    assert left == {}


@pytest.mark.parametrize(
    ("language", "written"),
    [
        ("en", ("Mar 2, 2026", "Mar 2, 2026 18:05 KST")),
        ("ko", ("2026. 3. 2.", "2026. 3. 2. 18:05 KST")),
        ("ja", ("2026/03/02", "2026/03/02 18:05 KST")),
    ],
)
def test_the_admins_lists_write_days_and_times_as_our_pages_do(language, written):
    at = datetime(2026, 3, 2, 9, 5, tzinfo=UTC)

    with translation.override(language), timezone.override(ZoneInfo("Asia/Seoul")):
        local = timezone.localtime(at)
        assert (date_format(local, "DATE_FORMAT"), date_format(local, "DATETIME_FORMAT")) == written
        assert (day(at), moment(at)) == written


def test_a_customers_page_names_the_segments_every_shop_has_in_the_readers_language(
    browser_of_staff, staff, shop
):
    staff.language = "ko"
    staff.save()
    stay = MembershipFactory(segment__key="champions", segment__name="Champions")

    page = browser_of_staff.get(reverse("crm:customer", args=[stay.customer_id])).content.decode()

    assert "세그먼트 편입: 최우수 고객" in page
    assert "Champions" not in page


def test_a_customers_page_says_in_the_readers_language_that_a_consent_ended_with_the_person(
    browser_of_staff, staff, shop
):
    staff.language = "ko"
    staff.save()
    customer = ConsentFactory().customer
    erasure.erase_customer(customer=customer, by=staff, at=timezone.now())

    page = browser_of_staff.get(reverse("crm:customer", args=[customer.pk])).content.decode()

    assert page.count("고객 정보 삭제") == 2  # in the story and under consent
    assert "erasure" not in page


@pytest.mark.parametrize(
    ("language", "overdue", "seconds", "scrolls"),
    [
        ("en", "2 weeks overdue", "1.5 s<", "Scrollable content"),
        ("ko", "기한 2주 지남", "1.5초<", "스크롤할 수 있는 내용"),
        ("ja", "期限を2週間超過", "1.5秒<", "スクロールできる内容"),
    ],
)
def test_today_says_what_is_late_and_how_long_the_night_took(
    language, overdue, seconds, scrolls, browser_of_staff, staff, shop, world
):
    staff.language = language
    staff.save()
    today = shop.business_date(timezone.now())
    step = FollowUpFactory(assigned_to=staff, due_on=today - timedelta(days=14))

    page = browser_of_staff.get("/admin/").content.decode()
    customer = browser_of_staff.get(reverse("crm:customer", args=[step.customer_id])).content.decode()

    assert overdue in page and overdue in customer
    assert seconds in page
    assert f'data-simplebar-aria-label="{scrolls}"' in page


def test_a_japanese_rule_is_not_broken_inside_its_and():
    with translation.override("ja"):
        assert "か\u2060つ" in translation.gettext("{first} and {second}")
