"""Putting right, once a minute, what died, and ending what is done."""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import transaction
from django.db.models import Exists, OuterRef

from campaigns.choices import CampaignStatus, MessageStatus, Trigger
from campaigns.models import Campaign, Message
from campaigns.services import suppression
from crm.common import sql

LAST = 200  # messages an error rate is taken over
ENOUGH = 50  # messages before a rate means anything
FAILED_SHARE = 0.05
UNKNOWN_SHARE = 0.20
_EVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Swept:
    """``silent``: died while sending, now unknown. ``freed``: merely claimed, waiting again."""

    freed: int
    silent: int
    finished: int
    paused: int


def sweep(*, now: datetime) -> Swept:
    """Free lapsed claims, mark lapsed sendings unknown, pause what errs, finish what is done."""
    freed = Message.objects.filter(status=MessageStatus.CLAIMED, leased_until__lt=now).update(
        status=MessageStatus.PENDING
    )
    silent = sql.rows("campaigns/mark_silent", {"now": now})[0]["silent"]
    suppression.take_out_of_queue(reason="campaign_stopped", only_stopped=True)
    running = Campaign.objects.filter(status=CampaignStatus.RUNNING)
    paused = sum(pause_on_errors(campaign_id=pk, at=now) for pk in running.values_list("pk", flat=True))
    return Swept(freed=freed, silent=silent, finished=_finish(now), paused=paused)


@transaction.atomic
def _finish(now: datetime) -> int:
    """Finish campaigns with nothing left to do.

    Their rows are locked first: the second statement then sees whatever a resend committed before.
    """
    left = Message.objects.filter(campaign=OuterRef("pk")).unfinished()
    running = Campaign.objects.filter(status=CampaignStatus.RUNNING, trigger=Trigger.ONCE)
    done = running.filter(~Exists(left)).order_by("pk").select_for_update(skip_locked=True)
    ids = list(done.values_list("pk", flat=True))
    if not ids:
        return 0
    return running.filter(~Exists(left), pk__in=ids).update(status=CampaignStatus.FINISHED, finished_at=now)


def pause_on_errors(*, campaign_id: int, at: datetime) -> bool:
    """Pause a running campaign when too many of its last messages failed or got lost; a person resumes it."""
    resumed = Campaign.objects.filter(pk=campaign_id).values_list("resumed_at", flat=True).first()
    params = {"campaign": campaign_id, "since": resumed or _EVER, "last": LAST}
    latest = sql.rows("campaigns/recent_errors", params)[0]
    tried = latest["tried"]
    if tried < ENOUGH:
        return False
    if latest["failed"] / tried <= FAILED_SHARE and latest["unknown"] / tried <= UNKNOWN_SHARE:
        return False
    reason = f"{latest['failed']} failed and {latest['unknown']} unknown of the last {tried}"
    return bool(
        Campaign.objects.filter(pk=campaign_id, status=CampaignStatus.RUNNING).update(
            status=CampaignStatus.PAUSED, paused_reason=reason
        )
    )
