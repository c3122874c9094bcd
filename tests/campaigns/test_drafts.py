"""Drafts are changed, launched campaigns are not, and each state allows only its own moves."""

from decimal import Decimal

import pytest

from campaigns.choices import CampaignStatus
from campaigns.models import Campaign, Coupon, Variant
from campaigns.services import campaigns as campaigning
from crm.common.errors import InvalidInput
from tests.campaigns.conftest import TEXT, count_states
from tests.factories import CampaignFactory, SegmentFactory


def test_a_draft_is_changed_with_its_texts(draft, now):
    campaign = draft()

    changed = campaigning.change_campaign(
        campaign=campaign,
        changes={"name": "Spring", "offer": None},
        variants={"ja": ("こんにちは", "{{ name }} 様")},
        at=now,
    )

    assert (changed.name, changed.offer) == ("Spring", None)
    assert list(changed.variants.values_list("language", "subject")) == [("ja", "こんにちは")]


def test_taking_the_offer_away_is_refused_while_the_text_promises_a_coupon(draft, now):
    campaign = draft()

    with pytest.raises(InvalidInput) as refusal:
        campaigning.change_campaign(campaign=campaign, changes={"offer": None}, at=now)

    assert refusal.value.detail["field"] == "en.body"
    campaign.refresh_from_db()
    assert campaign.offer is not None


def test_a_launched_campaign_is_not_changed(member, launched, now):
    member()
    campaign = launched()

    with pytest.raises(campaigning.NotADraft):
        campaigning.change_campaign(campaign=campaign, changes={"name": "Other"}, at=now)

    campaign.refresh_from_db()
    assert campaign.name != "Other"


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"kind": "spam"}, "kind"),
        ({"trigger": "always"}, "trigger"),
        ({"purpose": "anything"}, "purpose"),
        ({"control_share": Decimal("0.51")}, "control_share"),
        ({"control_share": Decimal("NaN")}, "control_share"),
        ({"control_share": Decimal("-0.1")}, "control_share"),
        ({"variants": {}}, "variants"),
        ({"variants": {"fr": TEXT}}, "fr.language"),
        ({"variants": {"en": ("", "body")}}, "en.subject"),
        ({"variants": {"en": ("Hi", " \n ")}}, "en.body"),
        ({"variants": {"en": ("Hi", "{{ unknown }}")}}, "en.body"),
        ({"variants": {"en": ("Hi", "{{ survey_url }}")}}, "en.body"),
        ({"variants": {"en": ("{{ name", "body")}}, "en.subject"),
    ],
)
def test_a_draft_that_cannot_work_is_refused_with_the_field(facts, field, draft):
    with pytest.raises(InvalidInput) as refusal:
        draft(**facts)

    assert refusal.value.detail["field"] == field
    assert (Campaign.objects.count(), Variant.objects.count()) == (0, 0)


def test_two_campaigns_do_not_share_a_name(draft):
    draft(name="Spring")

    with pytest.raises(InvalidInput) as refusal:
        draft(name="Spring", segment=SegmentFactory())

    assert refusal.value.detail["field"] == "name"


def test_stopping_ends_the_campaign_and_cancels_what_nobody_got(member, launched, deliver, sink, now):
    people = [member() for _ in range(3)]
    campaign = launched()
    deliver(stopping=lambda: len(sink.accepted) == 1)

    campaigning.stop(campaign=campaign, at=now)

    assert count_states(campaign) == {("sent", ""): 1, ("suppressed", "campaign_stopped"): len(people) - 1}
    assert sorted(Coupon.objects.values_list("status", flat=True)) == ["cancelled", "cancelled", "issued"]
    campaign.refresh_from_db()
    assert (campaign.status, campaign.finished_at) == (CampaignStatus.STOPPED, now)


@pytest.mark.parametrize(
    ("status", "refused"),
    [
        ("draft", ["pause", "resume", "stop"]),
        ("running", ["resume"]),
        ("paused", ["pause"]),
        ("finished", ["pause", "resume", "stop"]),
        ("stopped", ["pause", "resume", "stop"]),
    ],
)
def test_a_state_allows_only_its_own_moves(status, refused, db, now):
    moves = {
        "pause": lambda c: campaigning.pause(campaign=c),
        "resume": lambda c: campaigning.resume(campaign=c, at=now),
        "stop": lambda c: campaigning.stop(campaign=c, at=now),
    }
    for name, move in moves.items():
        campaign = CampaignFactory(status=status)
        if name in refused:
            with pytest.raises(campaigning.WrongState):
                move(campaign)
        else:
            move(campaign)

        campaign.refresh_from_db()
        assert (campaign.status == status) == (name in refused)
