"""The buttons do what they say, through services; a refusal is a sentence and changes nothing."""

from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse

from campaigns.choices import CampaignStatus
from campaigns.models import Campaign, Suppression
from crm.common.choices import JobState
from crm.common.models import ApiKey, JobRun
from customers.choices import FollowUpStatus
from customers.models import Consent, Customer, ExchangeRate, FollowUp, Interaction, Segment
from feedback.choices import ActionStatus, CaseStatus, SurveyStatus
from feedback.models import Response, Survey, Theme
from tests.factories import (
    ActionFactory,
    CampaignFactory,
    ConsentFactory,
    CustomerFactory,
    FollowUpFactory,
    MembershipFactory,
    PurchaseFactory,
    ResponseFactory,
    SegmentFactory,
    SuppressionFactory,
    ThemeFactory,
    VariantFactory,
)

LOG = {"kind": "call", "direction": "outbound", "outcome": "reached", "note": "다음 주에 다시 전화하기로 함"}
RULE = '{"all": [{"trait": "customers.country", "op": "=", "value": "KR"}]}'


def words(answer) -> str:
    return " ".join(str(message) for message in answer.context["messages"])


def test_the_quick_log_keeps_the_words_and_the_promise(press, staff):
    customer = CustomerFactory()

    press("customer_log", customer.pk, **LOG, next_step="전화", next_step_due="2030-01-02")

    kept = Interaction.objects.get()
    assert (kept.customer, kept.note, kept.staff, kept.outcome) == (customer, LOG["note"], staff, "reached")
    assert FollowUp.objects.get().due_on == date(2030, 1, 2)


def test_a_log_without_words_comes_back_with_what_was_typed(press):
    customer = CustomerFactory()

    answer = press("customer_log", customer.pk, **{**LOG, "note": "", "next_step": "call again"})

    assert answer.status_code == 422
    assert "call again" in answer.content.decode()
    assert Interaction.objects.count() == 0


def test_done_closes_a_follow_up_once(press):
    step = FollowUpFactory()

    first = press("follow_up_close", step.pk)
    second = press("follow_up_close", step.pk, cancel="1")

    step.refresh_from_db()
    assert step.status == FollowUpStatus.DONE
    assert "closed" in words(first).lower()
    assert words(second) != ""


def test_a_button_returns_only_to_this_site(browser_of_staff, shop):
    step = FollowUpFactory()

    answer = browser_of_staff.post(
        reverse("crm:follow_up_close", args=[step.pk]), {"next": "//evil.example/x"}
    )

    assert answer["Location"] == "/admin/"


def test_a_new_customer_is_entered_and_corrected(press):
    entered = press(
        "customer_new",
        name="이서연",
        email="Seo@Mail.Example",
        language="ko",
        country="kr",
        time_zone="Asia/Seoul",
    )
    customer = Customer.objects.get()
    press("customer_edit", customer.pk, name="이서윤", email="seo@mail.example", language="ko", country="KR",
          time_zone="Asia/Seoul")  # fmt: skip

    assert entered.status_code == 200
    customer.refresh_from_db()
    assert (customer.name, customer.email_normalised, customer.country) == (
        "이서윤",
        "seo@mail.example",
        "KR",
    )


def test_a_second_customer_with_the_same_address_is_refused_on_its_field(press):
    CustomerFactory(email="a@mail.example")

    answer = press("customer_new", name="B", email="A@mail.example", language="en", time_zone="UTC")

    assert answer.status_code == 422
    assert Customer.objects.count() == 1
    assert answer.context["form"].errors


def test_consent_is_recorded_and_withdrawn_as_new_statements(press, staff):
    customer = CustomerFactory()

    press("consent", customer.pk, "marketing", grant="1", source="phone call", wording="Yes to offers.")
    press("consent", customer.pk, "marketing", withdraw="1", source="phone call")

    said = Consent.objects.filter(customer=customer).order_by("pk")
    assert [(one.status, one.recorded_by, one.superseded_at is None) for one in said] == [
        ("granted", staff, False),
        ("withdrawn", staff, True),
    ]


def test_a_consent_without_its_wording_is_refused(press):
    customer = CustomerFactory()

    answer = press("consent", customer.pk, "marketing", grant="1", source="phone call", wording="")

    assert Consent.objects.count() == 0
    assert words(answer) != ""


def test_recalculate_writes_one_row_however_often_it_is_pressed(press, staff):
    press("recalculate")
    press("recalculate")

    run = JobRun.objects.get()
    assert (run.state, run.requested_by) == (JobState.REQUESTED, staff)


def test_a_segment_is_built_previewed_changed_and_archived(press, browser_of_staff):
    CustomerFactory(country="KR", name="김민수")
    CustomerFactory(country="JP")

    seen = browser_of_staff.post(reverse("crm:segment_preview"), {"rule": RULE}).json()
    press("segment_new", name="Korea", rule=RULE)
    segment = Segment.objects.get(name="Korea")
    press("segment_edit", segment.pk, rule=RULE.replace("KR", "JP"))
    changed = Segment.objects.get(pk=segment.pk)
    press("segment_archive", segment.pk)

    assert (seen["count"], seen["sample"]) == (1, ["김민수"])
    assert (segment.member_count, changed.rule_version) == (1, 2)
    assert Segment.objects.get(pk=segment.pk).status == "archived"


@pytest.mark.parametrize(
    "rule", ["", "[]", "null", "{", '{"all": {}}', '{"trait": "pg_sleep(9)", "op": "="}']
)
def test_a_rule_that_makes_no_sense_is_refused_with_words(rule, press, browser_of_staff):
    seen = browser_of_staff.post(reverse("crm:segment_preview"), {"rule": rule})
    saved = press("segment_new", name="Odd", rule=rule)

    assert seen.status_code == 422 and seen.json()["error"]
    assert saved.status_code == 422
    assert not Segment.objects.filter(name="Odd").exists()


def test_why_shows_each_condition_with_the_customers_value(browser_of_staff, shop):
    segment = SegmentFactory(rule={"all": [{"trait": "customers.country", "op": "=", "value": "KR"}]})
    customer = CustomerFactory(country="JP")

    page = browser_of_staff.get(reverse("crm:why", args=[customer.pk, segment.pk])).content.decode()

    assert "Country is KR" in page
    assert "JP" in page


def test_a_campaign_is_drafted_edited_and_kept_as_a_draft(press, staff):
    segment = SegmentFactory()
    facts = {"name": "Spring", "kind": "news", "segment": segment.pk, "trigger": "once", "purpose": "marketing",
             "control_percent": "20", "en.subject": "Hello {{ name }}", "en.body": "News for {{ name }}"}  # fmt: skip

    press("campaign_new", **facts)
    one = Campaign.objects.get()
    press("campaign_edit", one.pk, **{**facts, "name": "Summer", "ko.subject": "안녕", "ko.body": "소식"})

    one.refresh_from_db()
    assert (one.name, one.status, one.control_share) == ("Summer", CampaignStatus.DRAFT, Decimal("0.2"))
    assert {variant.language for variant in one.variants.all()} == {"en", "ko"}


def test_a_text_with_an_unknown_field_is_refused_on_that_field(press):
    facts = {"name": "Spring", "kind": "news", "segment": SegmentFactory().pk, "trigger": "once",
             "purpose": "marketing", "control_percent": "20", "en.subject": "Hi", "en.body": "{{ password }}"}  # fmt: skip

    answer = press("campaign_new", **facts)

    assert answer.status_code == 422
    assert "en.body" in answer.context["form"].errors
    assert Campaign.objects.count() == 0


def test_launch_refuses_what_is_not_ready_and_says_why(press):
    draft = CampaignFactory()
    VariantFactory(campaign=draft, body="Dear {{ name }}, {{ coupon_code }}")

    answer = press("campaign_launch", draft.pk)

    draft.refresh_from_db()
    assert draft.status == CampaignStatus.DRAFT
    assert words(answer) != ""


def test_a_campaign_is_launched_paused_resumed_and_stopped(press, settings):
    settings.SMTP_URL = "smtp://127.0.0.1:9"
    member = MembershipFactory()
    ConsentFactory(customer=member.customer)
    draft = CampaignFactory(segment=member.segment, control_share=0)
    VariantFactory(campaign=draft, body="Dear {{ name }}, {{ coupon_code }}")
    seen = []

    for button in ("campaign_launch", "campaign_pause", "campaign_resume", "campaign_stop"):
        press(button, draft.pk)
        seen.append(Campaign.objects.get(pk=draft.pk).status)

    assert seen == ["running", "paused", "running", "stopped"]


def test_the_states_of_a_campaign_add_up_to_its_audience(browser_of_staff, world):
    context = browser_of_staff.get(world.url("campaign")).context

    assert sum(state["count"] for state in context["bar"]) == context["states"].total == 1


def test_an_address_is_blocked_and_allowed_again_with_a_reason(press):
    press("suppressions", address="A@Mail.Example", purpose="", detail="asked on the phone")
    blocked = Suppression.objects.get()
    press(
        "suppressions", **{"lift": "1", "lift-address": "a@mail.example", "lift-reason": "asked to come back"}
    )

    blocked.refresh_from_db()
    assert blocked.lifted_reason == "asked to come back"


def test_an_address_that_is_none_is_refused(press):
    answer = press("suppressions", address="nobody", purpose="", detail="x")

    assert answer.status_code == 422
    assert Suppression.objects.count() == 0


def test_a_viewer_sees_suppressions_but_cannot_block(as_role, shop):
    SuppressionFactory()
    viewer = as_role("viewer")

    answer = viewer.post(reverse("crm:suppressions"), {"address": "a@mail.example", "detail": "x"})

    assert viewer.get(reverse("crm:suppressions")).status_code == 200
    assert answer.status_code == 403
    assert Suppression.objects.count() == 1


def test_a_survey_is_made_opened_and_closed(press):
    facts = {
        "name": "Autumn",
        "kind": "nps",
        "valid_days": "30",
        "score.en": "Recommend?",
        "words.en": "Why?",
    }

    press("survey_new", **facts)
    survey = Survey.objects.get()
    opened = press("survey_move", survey.pk, to="open").context["survey"].status
    closed = press("survey_move", survey.pk, to="closed").context["survey"].status

    assert survey.questions.count() == 2
    assert (opened, closed) == (SurveyStatus.OPEN, SurveyStatus.CLOSED)


def test_a_detractor_is_taken_over_and_tagged(press, staff):
    said, theme = ResponseFactory(), ThemeFactory()

    press("case_move", said.pk, status="in_contact")
    press("case_tag", said.pk, theme=theme.pk)

    said = Response.objects.get(pk=said.pk)
    assert (said.case_status, said.case_owner, list(said.themes.all())) == (
        CaseStatus.IN_CONTACT,
        staff,
        [theme],
    )


def test_you_said_we_did_goes_from_theme_to_told(press):
    press("themes", name="Slow delivery")
    theme = Theme.objects.get()
    press("theme", theme.pk, text="New courier", due_on="2030-01-02")
    action = theme.actions.get()
    press("action_move", action.pk, to="told")
    early = theme.actions.get().status
    press("action_move", action.pk, to="done")
    press("action_move", action.pk, to="told")

    assert (early, theme.actions.get().status) == (ActionStatus.PLANNED, ActionStatus.TOLD)


def test_a_dropped_action_is_not_done(press):
    action = ActionFactory()

    press("action_move", action.pk, to="dropped")
    press("action_move", action.pk, to="done")

    action.refresh_from_db()
    assert action.status == ActionStatus.DROPPED


def test_a_rate_gives_waiting_purchases_their_base_amount(press):
    purchase = PurchaseFactory(currency="EUR", amount=Decimal("10.00"))

    answer = press("rates", currency="eur", day="2026-01-01", rate="1.1")

    purchase.refresh_from_db()
    assert ExchangeRate.objects.get().rate == Decimal("1.1")
    assert purchase.base_amount == Decimal("11.000")
    assert "1 purchases got their base amount" in words(answer)


def test_an_api_key_is_shown_once_and_revoked_at_once(press, browser_of_staff, staff):
    made = press("api_keys", name="till", user=staff.pk, days="30")
    text = made.context["issued"]
    key = ApiKey.objects.get()
    later = browser_of_staff.get(reverse("crm:api_keys")).content.decode()
    press("api_key_revoke", key.pk)

    assert text.startswith(f"crm_{key.prefix}_") and text in made.content.decode()
    assert text not in later
    assert ApiKey.objects.get().revoked_at is not None


def test_two_records_are_compared_before_they_become_one(press, browser_of_staff):
    keep, other = CustomerFactory(name="Kim Minji"), CustomerFactory(name="Kim M.")
    PurchaseFactory.create_batch(3, customer=other)
    address = reverse("crm:customer_merge", args=[keep.pk])

    found = browser_of_staff.get(address, {"q": "Kim"})
    compared = browser_of_staff.get(address, {"other": other.pk})
    answer = press("customer_merge", keep.pk, other=other.pk)

    assert list(found.context["found"]) == [other]
    assert ("Purchases", "0", "3") in [(one.label, one.kept, one.other) for one in compared.context["lines"]]
    assert answer.context["person"] == keep
    assert keep.purchases.count() == 3
    assert not Customer.objects.filter(pk=other.pk).exists()


def test_the_other_record_is_first_looked_for_by_the_name(browser_of_staff, shop):
    keep, twin = CustomerFactory(name="Kim Minji"), CustomerFactory(name="Kim Minji")
    CustomerFactory(name="Lee Sora")

    offered = browser_of_staff.get(reverse("crm:customer_merge", args=[keep.pk]))
    CustomerFactory.create_batch(10, name="Kim Minji")
    many = browser_of_staff.get(reverse("crm:customer_merge", args=[keep.pk]))

    assert offered.context["found"] == [twin]
    assert len(many.context["found"]) == 10
    assert "More than 10 match" in many.content.decode()


@pytest.mark.parametrize("other", ["", "x", "0", "9" * 30, "²", "itself"])
def test_nobody_to_merge_with_is_no_error(other, press):
    keep = CustomerFactory()

    answer = press("customer_merge", keep.pk, other=keep.pk if other == "itself" else other)

    assert answer.status_code == 200
    assert Customer.objects.count() == 1


def test_the_page_of_somebody_erased_shows_facts_and_offers_nothing(press):
    customer = CustomerFactory(name="Kim Minji")
    PurchaseFactory(customer=customer)

    answer = press("customer_erase", customer.pk)

    page = answer.content.decode()
    assert "Kim Minji" not in page
    assert f"#{customer.pk}" in page
    offered = ("customer_log", "customer_edit", "customer_erase", "customer_merge")
    assert [name for name in offered if reverse(f"crm:{name}", args=[customer.pk]) in page] == []
    assert len(answer.context["purchases"]) == 1
