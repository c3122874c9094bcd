"""What staff do all day, with the keyboard and the mouse, in a real Chromium."""

from django.utils import timezone
from playwright.sync_api import expect

from campaigns.choices import MessageStatus
from campaigns.models import Message
from customers.models import Customer, Interaction, Segment
from ltv.services import night
from tests.factories import CustomerFactory


def test_an_interaction_is_logged_with_the_keyboard_alone(open_as, site, world):
    page, watch = open_as()
    before = Interaction.objects.count()
    page.goto(site + world.url("customer"))
    page.wait_for_load_state("networkidle")

    page.keyboard.press("l")
    page.keyboard.type("전화로 배송을 약속함")
    with page.expect_navigation():
        page.keyboard.press("Control+Enter")

    assert Interaction.objects.count() == before + 1
    assert Interaction.objects.latest("pk").note == "전화로 배송을 약속함"
    assert page.get_by_text("전화로 배송을 약속함").first.is_visible()
    assert watch.problems == []


def test_the_letter_l_stays_a_letter_while_typing(open_as, site, world):
    page, _watch = open_as()
    page.goto(site + "/admin/customers/")

    page.keyboard.press("/")
    page.keyboard.type("lll")

    assert page.locator("[data-search]").input_value() == "lll"


def test_a_rule_is_built_and_counted_while_it_is_built(open_as, site, world):
    CustomerFactory(country="FR", name="Only One")
    page, watch = open_as()
    page.goto(site + world.url("segment_new"))
    page.get_by_label("Name").fill("France")

    page.locator(".mc-cond select").first.select_option("customers.country")
    page.locator(".mc-cond__values input").fill("FR")
    page.wait_for_function("document.getElementById('preview-count').textContent === '1'")
    with page.expect_navigation():
        page.get_by_role("button", name="Save").click()

    segment = Segment.objects.get(name="France")
    assert segment.rule == {"all": [{"trait": "customers.country", "op": "=", "value": "FR"}]}
    assert segment.member_count == 1
    assert watch.problems == []


def test_stopping_a_campaign_asks_first_and_cancel_keeps_it_running(open_as, site, world):
    page, watch = open_as()
    page.goto(site + world.url("campaign"))
    page.wait_for_load_state("networkidle")

    page.get_by_role("button", name="Stop").click()
    question = page.get_by_role("dialog")
    asked = question.inner_text()
    question.get_by_role("button", name="Cancel").click()

    assert "Stop the campaign for good?" in asked
    assert page.get_by_role("button", name="Pause").is_visible()
    assert watch.problems == []


def test_a_campaign_shows_by_itself_that_its_mails_leave(open_as, site, world):
    page, watch = open_as()
    waiting = Message.objects.filter(campaign=world.ids["campaign"])
    waiting.update(status=MessageStatus.PENDING, due_at=timezone.now())
    page.goto(site + world.url("campaign"))
    expect(page.get_by_role("status").first).to_have_text("Mails are leaving: 0 sent, 1 to go.")

    waiting.update(status=MessageStatus.SENT, sent_at=timezone.now())

    expect(page.get_by_role("link", name="Sent 1")).to_be_visible()
    expect(page.get_by_text("Mails are leaving")).to_have_count(0)
    assert watch.problems == []


def test_a_share_is_written_in_percent_and_kept_as_a_share(open_as, site, world):
    page, watch = open_as()
    page.goto(site + world.url("segment_new"))
    page.get_by_label("Name").fill("Going")

    page.locator(".mc-cond select").first.select_option("ltv.p_no_purchase")
    page.get_by_label("Value in percent").fill("70")
    page.wait_for_function("document.getElementById('preview-words').textContent.includes('70%')")
    with page.expect_navigation():
        page.get_by_role("button", name="Save").click()

    (condition,) = Segment.objects.get(name="Going").rule["all"]
    assert (condition["trait"], condition["value"]) == ("ltv.p_no_purchase", 0.7)
    assert watch.problems == []


def test_the_first_tab_leads_past_the_navigation(open_as, site, world):
    page, _watch = open_as()
    page.goto(site + world.url("campaign"))

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**#content")
    page.keyboard.press("Tab")

    expect(page.locator("#content :focus")).to_have_count(1)


def test_ctrl_k_finds_a_customer_by_two_letters(open_as, site, world):
    page, watch = open_as()
    page.goto(site + "/admin/")
    page.wait_for_load_state("networkidle")

    page.keyboard.press("Control+k")
    page.locator("#search-input-command").fill("민수")
    page.keyboard.press("End")  # an input method ends a syllable with a key, too
    page.locator("#command-results-list a").first.wait_for()

    assert "김민수" in page.locator("#command-results-list").inner_text()
    assert watch.problems == []


def test_a_phone_is_not_told_of_keys_and_keeps_a_number_in_one_line(open_as, site, world):
    Customer.objects.filter(pk=world.ids["customer"]).update(phone="+82 10-0000-0061")
    page, _watch = open_as(width=390)
    page.goto(site + world.url("customer"))

    assert page.locator("kbd:visible").count() == 0
    assert page.get_by_text("to write").is_hidden()
    assert page.get_by_text("+82 10-0000-0061").evaluate("one => one.getClientRects().length") == 1

    page.set_viewport_size({"width": 1440, "height": 900})
    assert page.get_by_text("to write").is_visible()


def test_the_button_stands_beside_the_night_it_shows(open_as, site, world, staff_member):
    staff_member.language = "ja"
    staff_member.save()
    night.run_due(clock=lambda: timezone.now().replace(hour=3))  # noon where the shop is
    page, _watch = open_as()
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(site + world.url("customer_value"))

        field, button = (
            page.locator(f".mc-head .mc-filters {one}").bounding_box() for one in ("select", "button")
        )
        assert abs(field["y"] + field["height"] - button["y"] - button["height"]) < 2


def test_a_box_that_scrolls_is_named_in_the_readers_language(open_as, site, world, staff_member):
    staff_member.language = "ja"
    staff_member.save()
    page, _watch = open_as()
    page.goto(site + "/admin/")

    expect(page.get_by_role("region", name="スクロールできる内容").first).to_be_attached()
