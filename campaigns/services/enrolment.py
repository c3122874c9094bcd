"""Taking customers into a campaign: arms, messages, coupons, invitations, a handful of statements for any number."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from psycopg.sql import Composable

from campaigns.choices import CampaignStatus, MessageStatus, Trigger
from campaigns.models import Campaign, Message
from campaigns.reports import asks_forecasts, waiting_for_forecast
from campaigns.services import suppression
from crm.common import sql
from crm.common.models import Shop
from crm.common.wake import wake
from customers.models import Customer
from feedback.choices import SurveyStatus
from feedback.models import Survey
from feedback.services import invitations

PATIENCE = 600  # seconds a statement may take


def enrol(*, campaign: Campaign, at: datetime, entered_since: datetime | None = None) -> dict[str, int]:
    """Enrol who is in the campaign's segment and not enrolled yet; returns the number of new messages by status.

    Runs inside the caller's transaction, so that an audience is whole or not there at all.
    """
    with sql.patient(seconds=PATIENCE):
        made = _enrol(campaign, at, entered_since)
        if campaign.survey is not None and made.get(MessageStatus.PENDING):
            _invite(campaign, campaign.survey, at)
        total = sum(made.values())
        Campaign.objects.filter(pk=campaign.pk).update(audience_size=F("audience_size") + total)
    return made


def _enrol(campaign: Campaign, at: datetime, since: datetime | None) -> dict[str, int]:
    offer = campaign.offer
    rows = sql.rows(
        "campaigns/enrol",
        {
            "campaign": campaign.pk,
            "segment": campaign.segment_id,
            "salt": campaign.salt,
            "control_share": campaign.control_share,
            "at": at,
            "since": since,
            "offer": offer.pk if offer else None,
            "expires_at": at + timedelta(days=offer.valid_days) if offer else None,
            "first_variant": campaign.variants.order_by("pk").values_list("pk", flat=True).first(),
            "domain": Shop.current().sender_email.rpartition("@")[2],
            "purpose": campaign.purpose,
            **suppression.hash_params(),
        },
        {"address_hash": sql.compose("campaigns/address_hash"), "why_not": why_not()},
    )
    return {row["status"]: row["messages"] for row in rows}


def why_not() -> Composable:
    """The SQL expression for why a customer may not be mailed."""
    return sql.compose("campaigns/why_not", {"address_hash": sql.compose("campaigns/address_hash")})


def _invite(campaign: Campaign, survey: Survey, at: datetime) -> None:
    """Invite to the campaign's survey whoever waits for a mail that should carry an invitation."""
    source = f"campaign:{campaign.pk}"
    waiting = Message.objects.filter(
        customer=OuterRef("pk"), campaign=campaign, status=MessageStatus.PENDING, invitation=None
    )
    invitations.invite_many(
        survey=survey, customers=Customer.objects.filter(Exists(waiting)), source=source, at=at
    )
    values = {"campaign": campaign.pk, "survey": survey.pk, "source": source}
    sql.execute("campaigns/attach_invitations", values)


def enrol_entrants(*, segment_ids: list[int], at: datetime) -> int:
    """Enrol who entered the segments of running on-entry campaigns; returns how many messages were made.

    A campaign whose survey was closed meanwhile takes nobody in, nor does one that waits for a better forecast.
    """
    return _enrol_into(_taking_in().filter(segment_id__in=segment_ids), at)


def enrol_who_waited(*, at: datetime) -> int:
    """After a verdict on the forecast: enrol who entered while it was red, unless it still is."""
    return _enrol_into([campaign for campaign in _taking_in() if asks_forecasts(campaign.segment)], at)


def _taking_in() -> QuerySet[Campaign]:
    """The campaigns that take people in by themselves."""
    open_survey = Q(survey=None) | Q(survey__status=SurveyStatus.OPEN)
    running = Campaign.objects.filter(open_survey, trigger=Trigger.ON_ENTRY, status=CampaignStatus.RUNNING)
    return running.select_related("offer", "survey", "segment").order_by("pk")


def _enrol_into(campaigns: Iterable[Campaign], at: datetime) -> int:
    found = list(campaigns)
    waiting = waiting_for_forecast(found)
    made = sum(sum(enrol(campaign=one, at=at).values()) for one in found if one not in waiting)
    if made:
        wake("campaigns.deliver_due")
    return made
